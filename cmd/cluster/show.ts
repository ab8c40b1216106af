import { profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { command } from "../cli/command.ts";
import { jsonFlag } from "../flags/output.ts";
import { profileText } from "../view/cluster.ts";
import { printJson, printText } from "../view/print.ts";
import { nameIn, nameOperand } from "./flags.ts";

export default command({
  name: "xfer cluster show",
  description: "Prints the profile of a cluster",
  examples: [{ says: "For a script", line: "xfer cluster show weka --json" }],
  operands: nameOperand,
  flags: { json: jsonFlag },
  async run({ json }, { operands }) {
    const profile = readProfile(profilesFolder(process.env), nameIn(operands));
    if (json) await printJson(profile);
    else await printText(profileText(profile));
  },
});
