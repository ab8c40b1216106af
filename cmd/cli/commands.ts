import { defineCommand } from "citty";
import { version } from "../../package.json" with { type: "json" };

/** All commands, each read when it is asked for. */
export const root = defineCommand({
  meta: {
    name: "xfer",
    version,
    description: "Moves very large data sets between object stores on Slurm clusters",
  },
  subCommands: {
    run: () => import("../run.ts").then((module) => module.default),
    verify: () => import("../verify.ts").then((module) => module.default),
    manifest: () => import("../manifest/index.ts").then((module) => module.default),
    slurm: () => import("../slurm/index.ts").then((module) => module.default),
    agent: () => import("../agent.ts").then((module) => module.default),
  },
});
