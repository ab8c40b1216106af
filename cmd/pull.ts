import { farRunDir } from "../lib/cluster/far-run-dir.ts";
import { pull } from "../lib/cluster/pull.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { formatCount } from "../lib/system/units.ts";
import { requireFolder } from "../lib/system/writable.ts";
import { command } from "./cli/command.ts";
import { openCluster, requireCluster } from "./cli/open-cluster.ts";
import { clusterBinaryFlag, namedClusterFlag } from "./flags/cluster.ts";
import { jsonFlag } from "./flags/output.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { LiveLine } from "./view/live-line.ts";
import { printJson, printText } from "./view/print.ts";
import { travelledJson, travelledText } from "./view/staged.ts";

export default command({
  name: "xfer pull",
  description: "Fetches a run directory from a cluster",
  details: [
    "Manifest, shards, state, logs and reports come; locks and the binary do not. Only what has another size or time than here " +
      "is fetched, and what was cut off goes on.",
  ],
  examples: [{ says: "Fetch what a run has done so far", line: "xfer pull --cluster weka --run-dir run" }],
  flags: {
    cluster: namedClusterFlag,
    "cluster-binary": clusterBinaryFlag,
    "run-dir": runDirFlag,
    json: jsonFlag,
  },
  async run({ cluster: named, "cluster-binary": given, "run-dir": runDir, json }) {
    const cluster = requireCluster(named);
    requireFolder("--run-dir", runDir);
    const { signal } = watchForStop(stopSignals);
    const { end, runRoot, binary } = await openCluster(cluster, signal, given);
    const farDir = farRunDir(runRoot, runDir);
    const live = new LiveLine();
    const result = await pull(end, { binary, dir: farDir }, runDir, {
      stop: signal,
      onProgress: (files, of) => live.update(`pulling: ${formatCount(files)} of ${formatCount(of)} files`),
    });
    live.clear();
    const where = { cluster, runDir, farDir };
    if (json) await printJson(travelledJson("pulled", where, result));
    else await printText(travelledText("pulled", where, result));
  },
});
