import { changedProfile, profilesFolder, readProfile, writeProfile } from "../../lib/cluster/profile.ts";
import { command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import { jsonFlag } from "../flags/output.ts";
import { profileText } from "../view/cluster.ts";
import { printJson, printText } from "../view/print.ts";
import { changesOf, nameIn, nameOperand, profileFlags, sayHome } from "./flags.ts";

export default command({
  name: "xfer cluster edit",
  description: "Changes fields of a cluster's profile; an empty value removes one",
  details: ["--mount replaces all mounts: give all that there are to be."],
  examples: [
    { says: "Another partition", line: "xfer cluster edit weka --partition transfer" },
    { says: "No account", line: "xfer cluster edit weka --account ''" },
  ],
  operands: nameOperand,
  flags: { ...profileFlags, json: jsonFlag },
  async run(input, { operands }) {
    const folder = profilesFolder(process.env);
    const before = readProfile(folder, nameIn(operands));
    const changes = changesOf(input);
    if (Object.values(changes).every((value) => value === undefined)) {
      throw new UsageError("nothing is to be changed: give at least one field");
    }
    const profile = writeProfile(folder, changedProfile(before, changes));
    sayHome(profile);
    if (input.json) await printJson(profile);
    else await printText(profileText(profile));
  },
});
