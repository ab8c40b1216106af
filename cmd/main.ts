import { defineCommand } from "citty";
import { exitCodes } from "../lib/system/errors.ts";
import { version } from "../package.json" with { type: "json" };
import { reportError, runCli } from "./cli.ts";

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

// Who prints hears of stdout's failures; of stderr's there is nobody to tell, and they are no failure of the work.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    reportError(error, "xfer");
    process.exit(exitCodes.failed);
  });
}
process.exitCode = await runCli(root, process.argv.slice(2));
