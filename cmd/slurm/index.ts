import { defineCommand } from "citty";

export default defineCommand({
  meta: { name: "xfer slurm", description: "Renders a run for Slurm and submits it" },
  subCommands: {
    render: () => import("./render.ts").then((module) => module.default),
    submit: () => import("./submit.ts").then((module) => module.default),
  },
});
