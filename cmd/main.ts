import { defineCommand } from "citty";
import { version } from "../package.json" with { type: "json" };
import { runCli } from "./cli.ts";

const root = defineCommand({
  meta: {
    name: "xfer",
    version,
    description: "Moves very large data sets between object stores on Slurm clusters",
  },
  subCommands: {
    run: () => import("./run.ts").then((module) => module.default),
    verify: () => import("./verify.ts").then((module) => module.default),
    manifest: () => import("./manifest/index.ts").then((module) => module.default),
    slurm: () => import("./slurm/index.ts").then((module) => module.default),
    agent: () => import("./agent.ts").then((module) => module.default),
  },
});

// A reader that closes its end of stdout or stderr is no failure of the work.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
process.exitCode = await runCli(root, process.argv.slice(2));
