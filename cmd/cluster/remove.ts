import { profilesFolder, removeProfile } from "../../lib/cluster/profile.ts";
import { command } from "../cli/command.ts";
import { jsonFlag } from "../flags/output.ts";
import { printJson, printText } from "../view/print.ts";
import { nameIn, nameOperand } from "./flags.ts";

export default command({
  name: "xfer cluster remove",
  description: "Removes the profile of a cluster, and nothing at the cluster",
  examples: [{ says: "Forget a cluster", line: "xfer cluster remove weka" }],
  operands: nameOperand,
  flags: { json: jsonFlag },
  async run({ json }, { operands }) {
    const name = nameIn(operands);
    removeProfile(profilesFolder(process.env), name);
    if (json) await printJson({ schema: "xfer.cluster-removed.v1", name });
    else await printText(`${name}: removed\n`);
  },
});
