import { exitCodes } from "../lib/system/errors.ts";
import { stoppedError } from "../lib/system/interrupt.ts";
import { root } from "./cli/commands.ts";
import { reportError, runCli } from "./cli/run-cli.ts";

// Who prints hears of stdout's failures; of stderr's there is nobody to tell, and they are no failure of the work.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    reportError(error, "xfer");
    process.exit(exitCodes.failed);
  });
}
// A command that leaves something to tidy up watches for itself; all others end at once, with the same exit codes.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) > 1) return;
    process.exit(reportError(stoppedError(signal, "run the same command again"), "xfer"));
  });
}
process.exitCode = await runCli(root, process.argv.slice(2));
