import { resumeRun } from "../lib/operate/resume.ts";
import { exitCodes } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import { jsonFlag } from "./flags/output.ts";
import { imageCheckFlag } from "./flags/rclone.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { printJson, printText } from "./view/print.ts";
import { resumedJson, resumedText } from "./view/steered.ts";

export default command({
  name: "xfer resume",
  description: "Lets a paused run go on, and submits again what has left the queue",
  details: [
    "Held tasks are released. Shards that are not done and whose tasks have left the queue (cancelled, or ended while " +
      "the run was paused) are submitted again, as an array of these shards alone. What has failed for good stays so: xfer " +
      "retry. A run on one machine goes on by the same xfer run again.",
  ],
  examples: [{ says: "Go on", line: "xfer resume --run-dir run" }],
  flags: { "run-dir": runDirFlag, "image-check": imageCheckFlag, cluster: clusterFlag, json: jsonFlag },
  async run({ "run-dir": runDir, "image-check": imageCheck, json }) {
    const { signal: stop } = watchForStop(stopSignals);
    const resumed = await resumeRun(runDir, { now: new Date(), imageCheck, stop });
    for (const problem of resumed.problems) log.error(problem);
    if (json) await printJson(resumedJson(runDir, resumed));
    else await printText(resumedText(runDir, resumed));
    return resumed.problems.length === 0 ? exitCodes.done : exitCodes.failed;
  },
});
