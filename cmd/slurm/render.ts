import { defineCommand } from "citty";
import * as v from "valibot";
import { checkRequest } from "../../lib/launch/check-request.ts";
import { renderRun } from "../../lib/launch/render.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { arrayPasswordProblem } from "../../lib/rclone/conf-password.ts";
import { checkRoot } from "../../lib/rclone/root.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { log } from "../../lib/system/log.ts";
import { checkNoFolder, checkRcloneConfig } from "../flags/checks.ts";
import * as flags from "../flags/values.ts";
import { renderedJson, renderedText } from "../view/launched.ts";
import { printJson, printText } from "../view/print.ts";
import { sayPreserved } from "../view/start-words.ts";

const schema = v.object({
  "run-dir": flags.requiredText,
  "num-shards": v.optional(flags.whole(1, flags.shardsMax)),
  "source-root": flags.optionalText,
  "dest-root": flags.optionalText,
  manifest: flags.optionalText,
  json: v.optional(v.boolean(), false),
  ...flags.rcloneSchema,
  ...flags.renderSchema,
});

export default defineCommand({
  meta: {
    name: "xfer slurm render",
    description: "Writes the scripts and the frozen configuration of a run",
  },
  args: {
    "run-dir": { type: "string", required: true, valueHint: "DIR", description: "the run directory" },
    "num-shards": { type: "string", valueHint: "N", description: "how many shards (default: as sharded)" },
    ...flags.rcloneArgs,
    ...flags.renderArgs,
    "source-root": {
      type: "string",
      valueHint: "ROOT",
      description: "copy from here instead of the manifest's root",
    },
    "dest-root": {
      type: "string",
      valueHint: "ROOT",
      description: "copy to here instead of the manifest's root",
    },
    manifest: {
      type: "string",
      valueHint: "FILE",
      description: "the manifest (default: the run directory's)",
    },
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const runDir = input["run-dir"];
    if (input["rclone-config"] !== undefined) checkNoFolder("--rclone-config", input["rclone-config"]);
    for (const flag of ["source-root", "dest-root"] as const) {
      const root = input[flag];
      if (root !== undefined) checkRoot(`--${flag}`, root);
    }
    const request = {
      ...flags.renderOptionsOf(input, { runtime: "pyxis", arrayConcurrency: flags.arrayConcurrencyDefault }),
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
      now: new Date(),
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
