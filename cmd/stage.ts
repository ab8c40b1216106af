import { farRunDir } from "../lib/cluster/far-run-dir.ts";
import { filesThatTravel } from "../lib/cluster/inventory.ts";
import { stage } from "../lib/cluster/stage.ts";
import { invalidInput } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { formatBytes } from "../lib/system/units.ts";
import { command } from "./cli/command.ts";
import { openCluster, requireCluster } from "./cli/open-cluster.ts";
import { clusterBinaryFlag, namedClusterFlag } from "./flags/cluster.ts";
import { jsonFlag } from "./flags/output.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { LiveLine } from "./view/live-line.ts";
import { printJson, printText } from "./view/print.ts";
import { travelledJson, travelledText } from "./view/staged.ts";

export default command({
  name: "xfer stage",
  description: "Sends a run directory to a cluster",
  details: [
    "It lies below the cluster's run root under the same name. What is there with the same content is not sent again; what " +
      "was cut off goes on. State and logs are never sent, nor is rclone.conf. A run that is not rendered " +
      "yet is rendered there, with xfer slurm render --cluster; xfer slurm submit --cluster submits it.",
  ],
  examples: [{ says: "Send a rendered run", line: "xfer stage --cluster weka --run-dir run" }],
  flags: {
    cluster: namedClusterFlag,
    "cluster-binary": clusterBinaryFlag,
    "run-dir": runDirFlag,
    json: jsonFlag,
  },
  async run({ cluster: named, "cluster-binary": given, "run-dir": runDir, json }) {
    const cluster = requireCluster(named);
    // Before anything is asked of the cluster.
    if (filesThatTravel(runDir, "stage").length === 0) {
      throw invalidInput(`${runDir}: no run directory: it has no manifest, shards or configuration`);
    }
    const { signal } = watchForStop(stopSignals);
    const { end, runRoot, binary } = await openCluster(cluster, signal, given);
    const farDir = farRunDir(runRoot, runDir);
    const live = new LiveLine();
    const result = await stage(end, { binary, dir: farDir }, runDir, {
      stop: signal,
      onProgress: (bytes, of) => live.update(`staging: ${formatBytes(bytes)} of ${formatBytes(of)}`),
    });
    live.clear();
    const where = { cluster, runDir, farDir };
    if (json) await printJson(travelledJson("staged", where, result));
    else await printText(travelledText("staged", where, result));
  },
});
