import { readFileSync } from "node:fs";
import { cutSections, wrappedRemotes } from "../../lib/cluster/conf-sections.ts";
import { addSections, confProblem, lookAtConf } from "../../lib/cluster/far-conf.ts";
import { profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { farEndOf } from "../../lib/cluster/reach.ts";
import { confPathHere } from "../../lib/rclone/conf.ts";
import { errnoOf, invalidInput, operationFailed, readError } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { command } from "../cli/command.ts";
import { asksHere, requireCluster } from "../cli/open-cluster.ts";
import { namedClusterFlag } from "../flags/cluster.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { printJson, printText } from "../view/print.ts";
import { deployedJson, deployedText } from "../view/rclone-config.ts";
import { requiredRemotesFlag } from "./flags.ts";

export default command({
  name: "xfer rclone-config deploy",
  description: "Adds remotes of this machine's rclone.conf to a cluster's, with mode 0600",
  details: [
    "It sends credentials, and so it does nothing without --yes. Only the sections of --remotes are sent, without comments, " +
      "and nothing of them is printed. The other sections there stay as they are.",
  ],
  examples: [
    {
      says: "Send two remotes",
      line: "xfer rclone-config deploy --cluster weka --remotes s3src,s3dst --yes",
    },
    {
      says: "A key was replaced",
      line: "xfer rclone-config deploy --cluster weka --remotes s3src --replace --yes",
    },
  ],
  flags: {
    cluster: namedClusterFlag,
    remotes: requiredRemotesFlag,
    from: flag.file({
      group: "what",
      common: true,
      defaultText: "rclone's own",
      description: "the rclone.conf of this machine",
    }),
    replace: flag.on({ group: "what", common: true, description: "replace sections that are there already" }),
    yes: flag.on({ group: "what", common: true, description: "send them: without it nothing is done" }),
    json: jsonFlag,
  },
  async run(input) {
    const profile = readProfile(profilesFolder(process.env), requireCluster(input.cluster));
    const path = input.from ?? confPathHere(undefined, "host");
    if (path === undefined) throw invalidInput("--from is needed: rclone's own configuration is in memory");
    const text = cutSections(path, readConf(path), input.remotes);
    const names = input.remotes.join(", ");
    if (!input.yes) {
      throw invalidInput(
        `nothing was sent: --yes sends the remotes ${names} of ${path}, with their credentials, to ${profile.host}`,
      );
    }
    const { signal: stop } = watchForStop(stopSignals);
    const end = await farEndOf(profile, asksHere());
    const conf = await lookAtConf(end, profile, stop);
    const problem = conf.state === "missing" ? undefined : confProblem(end, conf);
    if (problem !== undefined) throw operationFailed(`nothing was sent: ${problem}`);
    const present = input.remotes.filter((name) => conf.remotes.includes(name));
    if (present.length > 0 && !input.replace) {
      throw operationFailed(
        `nothing was sent: ${end.host}:${conf.path} has ${present.join(", ")} already: --replace replaces it`,
      );
    }
    await addSections(end, profile, { text, names: input.remotes, sum: conf.sum, stop });
    const absent = wrappedRemotes(text).filter((name) => !conf.remotes.includes(name));
    if (absent.length > 0) {
      log.warn(
        `${end.host}:${conf.path} lacks ${absent.join(", ")}, of which a remote is made: send it, too`,
      );
    }
    if (profile.rclone_config === undefined && profile.runtime !== "host") {
      log.info(
        `for containers, name the file in the profile: xfer cluster edit ${profile.name} --rclone-config ${conf.path}`,
      );
    }
    const deployed = { name: profile.name, path: conf.path, remotes: input.remotes, replaced: present };
    if (input.json) await printJson(deployedJson(deployed));
    else await printText(deployedText(deployed));
  },
});

function readConf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT")
      throw invalidInput(`${path}: no such file: name another one with --from`);
    throw readError(path, error);
  }
}
