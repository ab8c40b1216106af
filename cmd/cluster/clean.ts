import { lookAtBinaries, removeBinaries } from "../../lib/cluster/clean.ts";
import { profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { farEndOf } from "../../lib/cluster/reach.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { version } from "../../package.json" with { type: "json" };
import { command } from "../cli/command.ts";
import { asksHere } from "../cli/open-cluster.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { cleanedJson, cleanedText } from "../view/cluster.ts";
import { printJson, printText } from "../view/print.ts";
import { nameIn, nameOperand } from "./flags.ts";

export default command({
  name: "xfer cluster clean",
  description: "Removes xfer binaries of other versions below a cluster's run root",
  details: [
    "A binary stays when a run directory below the run root points at it, when one of your jobs does, or when a command that " +
      "was handed over runs with it. Without --yes it only tells what it would remove.",
  ],
  examples: [
    { says: "See what would be removed", line: "xfer cluster clean weka" },
    { says: "Remove it", line: "xfer cluster clean weka --yes" },
  ],
  operands: nameOperand,
  flags: {
    yes: flag.on({ group: "what", common: true, description: "remove them: without it nothing is done" }),
    json: jsonFlag,
  },
  async run({ yes, json }, { operands }) {
    const profile = readProfile(profilesFolder(process.env), nameIn(operands));
    const { signal: stop } = watchForStop(stopSignals);
    const end = await farEndOf(profile, asksHere());
    const binaries = await lookAtBinaries(end, profile, { version, stop });
    const unused = binaries.filter(({ keep }) => keep === undefined).map(({ name }) => name);
    if (yes) await removeBinaries(end, profile, unused, stop);
    const cleaned = { name: profile.name, binaries, isDone: yes };
    if (json) await printJson(cleanedJson(cleaned));
    else await printText(cleanedText(cleaned));
  },
});
