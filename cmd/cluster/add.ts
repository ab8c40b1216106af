import { changedProfile, hasProfile, profilesFolder, writeProfile } from "../../lib/cluster/profile.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { command } from "../cli/command.ts";
import { jsonFlag } from "../flags/output.ts";
import { profileText } from "../view/cluster.ts";
import { printJson, printText } from "../view/print.ts";
import { changesOf, nameIn, nameOperand, profileFlags, sayHome } from "./flags.ts";

export default command({
  name: "xfer cluster add",
  description: "Writes the profile of a cluster, from which commands take defaults",
  details: [
    "Nothing is asked of the cluster: xfer cluster probe NAME does that. Paths are the cluster's own; ~/ is the home there. " +
      "--mount says where the cluster sees a remote as files, which are cheaper to list.",
  ],
  examples: [
    {
      says: "A cluster that ssh reaches",
      line: "xfer cluster add weka --host me@login.example --run-root /shared/me/runs --rclone-config '~/.config/rclone/rclone.conf' --image /shared/rclone.sqsh --mount s3src:bucket=/weka/bucket",
    },
    { says: "The one that this is a login node of", line: "xfer cluster add here --host local" },
  ],
  operands: { ...nameOperand, values: [] },
  flags: { ...profileFlags, host: { ...profileFlags.host, required: true }, json: jsonFlag },
  async run(input, { operands }) {
    const name = nameIn(operands);
    const folder = profilesFolder(process.env);
    if (hasProfile(folder, name)) {
      throw invalidInput(`a cluster is called ${name} already: change it with xfer cluster edit ${name}`);
    }
    const flags = Object.keys(profileFlags) as (keyof typeof profileFlags)[];
    const empty = flags.find((flag) => [input[flag]].flat().includes(""));
    if (empty !== undefined) throw invalidInput(`--${empty}: must not be empty: leave it out`);
    const fields = { schema: "xfer.cluster.v1", name };
    const profile = writeProfile(folder, changedProfile(fields, changesOf(input)));
    sayHome(profile);
    if (input.json) await printJson(profile);
    else await printText(profileText(profile));
  },
});
