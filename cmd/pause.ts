import { pauseRun } from "../lib/operate/pause.ts";
import { log } from "../lib/system/log.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import { jsonFlag } from "./flags/output.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { printJson, printText } from "./view/print.ts";
import { pausedJson, pausedText } from "./view/steered.ts";

export default command({
  name: "xfer pause",
  description: "Stops a run with its proofs kept, until xfer resume",
  details: [
    "Tasks that wait are held. Tasks that run stop at their next heartbeat, go back into the queue, held, and spend no " +
      "attempt. Agents of a run on one machine stop too, and its command ends with exit code 75.",
  ],
  examples: [{ says: "Pause a run", line: "xfer pause --run-dir run" }],
  flags: { "run-dir": runDirFlag, cluster: clusterFlag, json: jsonFlag },
  async run({ "run-dir": runDir, json }) {
    const paused = await pauseRun(runDir, new Date());
    for (const problem of paused.problems) log.warn(problem);
    if (json) await printJson(pausedJson(runDir, paused));
    else await printText(pausedText(runDir, paused));
  },
});
