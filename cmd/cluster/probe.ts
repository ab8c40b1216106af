import { probeClusters } from "../../lib/cluster/probe-clusters.ts";
import { profileNames, profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { exitCodes, invalidInput } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { command } from "../cli/command.ts";
import { asksHere } from "../cli/open-cluster.ts";
import { knownClusters } from "../flags/cluster.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { printJson, printText } from "../view/print.ts";
import { probeJson, probeNotes, probeText } from "../view/probe.ts";

export default command({
  name: "xfer cluster probe",
  description: "Looks at clusters side by side: Slurm, load, rclone.conf and the run root",
  details: [
    "Without a name all clusters are looked at. The best one for a transfer comes first: without GPUs, few jobs waiting, many " +
      "CPUs idle. It only reads; the run root is tried with a small file that is removed again. --through-srun runs two short " +
      "steps on a compute node: the image's rclone, and a program in the run root.",
    "Exit code 1 means that a cluster could not be looked at.",
  ],
  examples: [
    { says: "All clusters", line: "xfer cluster probe" },
    { says: "One, on a compute node too", line: "xfer cluster probe weka --through-srun" },
  ],
  operands: { usage: "[NAME...]", values: knownClusters, most: Number.POSITIVE_INFINITY },
  flags: {
    "through-srun": flag.on({
      group: "slurm",
      common: true,
      description: "run two short steps on a compute node, too",
    }),
    json: jsonFlag,
  },
  async run({ "through-srun": throughSrun, json }, { operands }) {
    const folder = profilesFolder(process.env);
    const names = operands.length > 0 ? [...new Set(operands)] : profileNames(folder);
    if (names.length === 0) {
      throw invalidInput("there is no cluster yet: xfer cluster add NAME --host user@login");
    }
    const profiles = names.map((name) => readProfile(folder, name));
    const { signal: stop } = watchForStop(stopSignals);
    const probed = await probeClusters(profiles, { asks: asksHere(), throughSrun, stop });
    if (json) await printJson(probeJson(probed));
    else await printText(probeText(probed));
    for (const note of probeNotes(probed)) log.warn(note);
    return probed.every((one) => "facts" in one) ? exitCodes.done : exitCodes.failed;
  },
});
