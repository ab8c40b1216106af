import { cancelRun } from "../lib/operate/cancel.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import { jsonFlag } from "./flags/output.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { printJson, printText } from "./view/print.ts";
import { cancelledJson, cancelledText } from "./view/steered.ts";

export default command({
  name: "xfer cancel",
  description: "Cancels all jobs of a run that are in the queue; what is proven stays proven",
  details: ["Copies and comparisons, of all submissions. xfer resume submits what is not done again."],
  examples: [{ says: "Cancel a run", line: "xfer cancel --run-dir run" }],
  flags: { "run-dir": runDirFlag, cluster: clusterFlag, json: jsonFlag },
  async run({ "run-dir": runDir, json }) {
    const { signal: stop } = watchForStop(stopSignals);
    const jobs = await cancelRun(runDir, new Date(), stop);
    if (json) await printJson(cancelledJson(runDir, jobs));
    else await printText(cancelledText(runDir, jobs));
  },
});
