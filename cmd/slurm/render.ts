import { clusterDefaults } from "../../lib/estimate/cost-model.ts";
import { checkRequest } from "../../lib/launch/check-request.ts";
import { renderRun } from "../../lib/launch/render.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { arrayPasswordProblem } from "../../lib/rclone/conf-password.ts";
import { checkRoot } from "../../lib/rclone/root-check.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { log } from "../../lib/system/log.ts";
import { command } from "../cli/command.ts";
import { checkNoFolder, checkRcloneConfig } from "../flags/checks.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { here } from "../flags/here.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { shardsMax } from "../flags/plan.ts";
import { rcloneFlags } from "../flags/rclone.ts";
import { renderFlags, renderOptionsOf } from "../flags/render.ts";
import { runDirFlag } from "../flags/run-dir.ts";
import { renderedJson, renderedText } from "../view/launched.ts";
import { printJson, printText } from "../view/print.ts";
import { sayPreserved } from "../view/start-words.ts";

export default command({
  name: "xfer slurm render",
  description: "Writes the scripts and the frozen configuration of a run",
  details: [
    "The run directory holds no path of its own: it may be rendered on a workstation, copied to the cluster, and submitted " +
      "there. What sbatch would refuse in --sbatch-extras is refused here.",
  ],
  examples: [
    {
      says: "Render a run that is sharded",
      line: "xfer slurm render --run-dir run --rclone-image /shared/rclone.sqsh --partition transfer",
    },
    {
      says: "With more for sbatch and for rclone",
      line: "xfer slurm render --run-dir run --rclone-image /shared/rclone.sqsh --sbatch-extras '--account=foo' --add-rclone-flags '--transfers 16'",
    },
  ],
  flags: {
    "run-dir": runDirFlag,
    "num-shards": flag.whole(1, shardsMax, {
      group: "sharding",
      defaultText: "as sharded",
      description: "how many shards",
    }),
    ...rcloneFlags,
    ...renderFlags,
    "source-root": flag.text({
      valueHint: "ROOT",
      group: "what",
      defaultText: "the manifest's",
      description: "copy from here",
    }),
    "dest-root": flag.text({
      valueHint: "ROOT",
      group: "what",
      defaultText: "the manifest's",
      description: "copy to here",
    }),
    manifest: flag.file({
      group: "what",
      defaultText: "the run directory's",
      description: "the manifest",
    }),
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run(input) {
    const runDir = input["run-dir"];
    const { binary, now } = here();
    if (input["rclone-config"] !== undefined) checkNoFolder("--rclone-config", input["rclone-config"]);
    for (const flag of ["source-root", "dest-root"] as const) {
      const root = input[flag];
      if (root !== undefined) checkRoot(`--${flag}`, root);
    }
    const request = {
      ...renderOptionsOf(input, {
        runtime: "pyxis",
        arrayConcurrency: clusterDefaults.arrayConcurrency,
        binary,
      }),
      runDir,
    };
    const notes = await checkRequest(request, { source: input["source-root"], dest: input["dest-root"] });
    checkRcloneConfig(input["rclone-config"], false);
    for (const note of notes) log.warn(note);
    const config = await renderRun({
      ...request,
      manifestPath: input.manifest ?? runLayout(runDir).manifest,
      numShards: input["num-shards"],
      sourceRoot: input["source-root"],
      destRoot: input["dest-root"],
      now,
    });
    const password = arrayPasswordProblem({
      configPath: input["rclone-config"],
      runtime: config.runtime,
      flags: config.rclone_flags,
    });
    if (password !== undefined) log.warn(password);
    const context = remoteContext(input["rclone-config"], config.runtime);
    const ends = { source: config.source_root, dest: config.dest_root };
    if (!input.json) sayPreserved(ends, context, request);
    if (input.json) await printJson(renderedJson(runDir, config));
    else await printText(renderedText(runDir, config));
  },
});
