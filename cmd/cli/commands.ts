import { version } from "../../package.json" with { type: "json" };
import { type Group, group } from "./command.ts";

const all = group(
  {
    name: "xfer",
    description: "Moves very large data sets between object stores on Slurm clusters",
    examples: [
      {
        says: "Copy on this machine",
        line: "xfer run --executor local --source set --dest copy --run-dir run",
      },
      {
        says: "Copy on a cluster",
        line: "xfer run --source src:bucket/set --dest dst:bucket/set --rclone-image /shared/rclone.sqsh --submit",
      },
      { says: "Compare the destination again", line: "xfer verify --run-dir run" },
    ],
  },
  {
    run: () => import("../run/index.ts"),
    status: () => import("../status/index.ts"),
    wait: () => import("../wait.ts"),
    verify: () => import("../verify.ts"),
    report: () => import("../report.ts"),
    retry: () => import("../retry.ts"),
    logs: () => import("../logs.ts"),
    pause: () => import("../pause.ts"),
    resume: () => import("../resume.ts"),
    cancel: () => import("../cancel.ts"),
    throttle: () => import("../throttle.ts"),
    metrics: () => import("../metrics.ts"),
    doctor: () => import("../doctor.ts"),
    manifest: () => import("../manifest/index.ts"),
    slurm: () => import("../slurm/index.ts"),
    cluster: () => import("../cluster/index.ts"),
    "rclone-config": () => import("../rclone-config/index.ts"),
    stage: () => import("../stage.ts"),
    pull: () => import("../pull.ts"),
    skills: () => import("../skills/index.ts"),
    schema: () => import("../schema.ts"),
    agent: () => import("../agent.ts"),
    far: () => import("../far/index.ts"),
    help: () => import("../help.ts"),
    man: () => import("../man.ts"),
    completion: () => import("../completion.ts"),
    version: () => import("../version.ts"),
    complete: () => import("../complete.ts"),
  },
);

/** All commands, each read when it is asked for. */
export const root: Group = {
  ...all,
  meta: { name: all.spec.name, version, description: all.spec.description },
};
