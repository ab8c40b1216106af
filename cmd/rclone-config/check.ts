import { confProblem, lookAtConf } from "../../lib/cluster/far-conf.ts";
import { profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { farEndOf } from "../../lib/cluster/reach.ts";
import { reachRoots } from "../../lib/cluster/reachable.ts";
import { parseRoot } from "../../lib/rclone/remote-options.ts";
import { readRunConfig } from "../../lib/run/config.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { exitCodes } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { command } from "../cli/command.ts";
import { asksHere, requireCluster } from "../cli/open-cluster.ts";
import { namedClusterFlag } from "../flags/cluster.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { printJson, printText } from "../view/print.ts";
import { confCheckJson, confCheckText } from "../view/rclone-config.ts";
import { remotesFlag } from "./flags.ts";

export default command({
  name: "xfer rclone-config check",
  description: "Looks whether a cluster's rclone.conf has the remotes of a run, with mode 0600",
  details: [
    "Only the names of its sections leave the cluster. --through-srun also lists the top of each remote on a compute node, in " +
      "the profile's image: with --run-dir that of the run's own source and destination. Exit code 0 means that all is there.",
  ],
  examples: [
    { says: "By name", line: "xfer rclone-config check --cluster weka --remotes s3src,s3dst" },
    {
      says: "What a run names, as a compute node sees it",
      line: "xfer rclone-config check --cluster weka --run-dir run --through-srun",
    },
  ],
  flags: {
    cluster: namedClusterFlag,
    remotes: remotesFlag,
    "run-dir": flag.folder({
      group: "what",
      common: true,
      description: "a rendered run on this machine, whose source and destination name the remotes",
    }),
    "through-srun": flag.on({
      group: "slurm",
      common: true,
      description: "list the top of each remote on a compute node",
    }),
    json: jsonFlag,
  },
  async run(input) {
    const profile = readProfile(profilesFolder(process.env), requireCluster(input.cluster));
    const roots = rootsOf(input["run-dir"], input.remotes ?? []);
    const wanted = [...new Set(roots.map(({ remote }) => remote))];
    const { signal: stop } = watchForStop(stopSignals);
    const end = await farEndOf(profile, asksHere());
    const conf = await lookAtConf(end, profile, stop);
    const problem = confProblem(end, conf);
    const isKnown = conf.state === "there" || conf.state === "missing";
    const missing = isKnown ? wanted.filter((name) => !conf.remotes.includes(name)) : [];
    const asked = input["through-srun"] && conf.state === "there" ? roots : [];
    const present = asked.filter(({ remote }) => !missing.includes(remote)).map(({ root }) => root);
    const reached = present.length > 0 ? await reachRoots(end, profile, present, stop) : [];
    const check = { name: profile.name, conf, problem, wanted, missing, reached };
    if (input.json) await printJson(confCheckJson(check));
    else await printText(confCheckText(check));
    const isWhole = problem === undefined && missing.length === 0;
    return isWhole && reached.every((one) => one.problem === undefined) ? exitCodes.done : exitCodes.failed;
  },
});

/** What is asked for: the roots of a run, and remotes by their names. A path is no remote. */
function rootsOf(runDir: string | undefined, names: readonly string[]): { root: string; remote: string }[] {
  const config = runDir === undefined ? undefined : readRunConfig(runLayout(runDir).config);
  const ofRun = config ? [config.source_root, config.dest_root] : [];
  const roots = ofRun.flatMap((root) => {
    const parsed = parseRoot(root);
    return parsed.form === "remote" && !parsed.inline ? [{ root, remote: parsed.name }] : [];
  });
  return [...roots, ...names.map((name) => ({ root: `${name}:`, remote: name }))];
}
