import { listProfiles, profilesFolder } from "../../lib/cluster/profile.ts";
import { log } from "../../lib/system/log.ts";
import { command } from "../cli/command.ts";
import { jsonFlag } from "../flags/output.ts";
import { profilesText } from "../view/cluster.ts";
import { printJson, printText } from "../view/print.ts";

export default command({
  name: "xfer cluster list",
  description: "Prints the clusters that have a profile",
  examples: [{ says: "All of them", line: "xfer cluster list" }],
  flags: { json: jsonFlag },
  async run({ json }) {
    const { profiles, problems } = listProfiles(profilesFolder(process.env));
    for (const problem of problems) log.warn(problem);
    if (json) await printJson({ schema: "xfer.clusters.v1", clusters: profiles });
    else await printText(profilesText(profiles, process.env.XFER_CLUSTER));
  },
});
