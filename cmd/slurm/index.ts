import { group } from "../cli/command.ts";

export default group(
  {
    name: "xfer slurm",
    description: "Renders a run for Slurm and submits it",
    examples: [
      {
        says: "Render a run that is sharded",
        line: "xfer slurm render --run-dir run --rclone-image /shared/rclone.sqsh",
      },
      { says: "Submit it", line: "xfer slurm submit --run-dir run" },
    ],
  },
  { render: () => import("./render.ts"), submit: () => import("./submit.ts") },
);
