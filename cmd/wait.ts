import { followRun } from "../lib/operate/follow.ts";
import { RunLook } from "../lib/operate/run-look.ts";
import { statusCode } from "../lib/operate/status.ts";
import { exitCodes } from "../lib/system/errors.ts";
import { stopExitCode, stopReason, stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { formatDuration } from "../lib/system/units.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import { flag } from "./flags/make.ts";
import { lookedAtRunDirFlag, parseSeconds } from "./flags/operate.ts";
import { jsonFlag } from "./flags/output.ts";
import { allowUntransferableFlag } from "./flags/plan.ts";
import { LiveLine } from "./view/live-line.ts";
import { pauseText } from "./view/next-step.ts";
import { printJson, printText } from "./view/print.ts";
import { endText, statusJson, statusLine } from "./view/status.ts";

/** How often a line is printed where nobody watches a terminal. */
const lineMs = 60_000;

export default command({
  name: "xfer wait",
  description: "Waits until nothing of a run goes on, for scripts",
  details: [
    "It waits until every shard is done or has failed for good, or nothing of the run is in Slurm's queue any more; a run that " +
      "is paused is waited for. Slurm is asked every 30 s at most. It changes nothing: the run goes on when it is stopped.",
    "Exit code 0: every object is proven. 1: a shard has failed for good. 75: the timeout ended it, or the run was stopped.",
  ],
  examples: [
    {
      says: "Wait for the end of the run in ./run",
      line: "xfer wait",
    },
    { says: "For two hours at most", line: "xfer wait --run-dir run --timeout 2h" },
  ],
  flags: {
    "run-dir": lookedAtRunDirFlag,
    timeout: flag.parsed(parseSeconds, "must be a time such as 90s, 15m, 2h or 3d", {
      group: "what",
      common: true,
      valueHint: "TIME",
      defaultText: "none",
      description: "wait no longer than that: seconds, or with s, m, h or d",
    }),
    "allow-untransferable": allowUntransferableFlag,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run({ "run-dir": runDir, timeout, json, "allow-untransferable": allows }) {
    const beganMs = Date.now();
    const look = await RunLook.open(runDir);
    const { signal: stop } = watchForStop(stopSignals);
    const live = new LiveLine();
    let pausedAt: string | undefined;
    let toldMs = Number.NEGATIVE_INFINITY;
    const { reading, end } = await followRun(look, {
      stop,
      ...(timeout === undefined ? {} : { untilMs: beganMs + 1000 * timeout }),
      onReading: ({ status }) => {
        const { paused } = status;
        if (paused && paused.at !== pausedAt) {
          live.clear();
          log.warn(`${pauseText(runDir, paused)}; waiting on`);
        }
        pausedAt = paused?.at;
        if (!process.stderr.isTTY && Date.now() - toldMs < lineMs) return;
        toldMs = Date.now();
        live.update(statusLine(status));
      },
    });
    live.clear();
    if (json) await printJson(statusJson(reading.status));
    else await printText(endText(reading.status));
    const reason = stopReason(stop);
    if (end === "stopped" && reason !== undefined) return stopExitCode(reason);
    if (end !== "timeout") return statusCode(reading.status, allows);
    log.warn(`waited for ${formatDuration(timeout ?? 0)}: the run goes on`);
    return exitCodes.resumable;
  },
});
