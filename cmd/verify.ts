import { defineCommand } from "citty";
import * as v from "valibot";
import { checksumModes } from "../lib/compare/verify-rule.ts";
import { requireImageHere } from "../lib/launch/image-check.ts";
import { submitRun } from "../lib/launch/submit.ts";
import { requireConfPassword } from "../lib/rclone/conf-password.ts";
import { readRunConfig } from "../lib/run/config.ts";
import { runLayout } from "../lib/run/layout.ts";
import { readShardsMeta } from "../lib/shard/meta.ts";
import { type ExitCode, exitCodes, invalidInput } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { requireFolder } from "../lib/system/writable.ts";
import { checkWholeManifest, collectVerification } from "../lib/verify/collect.ts";
import { type Verification, verificationHead } from "../lib/verify/verification.ts";
import { verifyRun } from "../lib/verify/verify-run.ts";
import { version } from "../package.json" with { type: "json" };
import * as flags from "./flags/values.ts";
import { doingText } from "./view/doing.ts";
import { submittedJson, submittedText } from "./view/launched.ts";
import { LiveLine } from "./view/live-line.ts";
import { printJson, printText } from "./view/print.ts";
import { verificationJson, verificationText } from "./view/verification.ts";

const executors = ["local", "slurm"] as const;

const schema = v.object({
  "run-dir": flags.requiredText,
  executor: flags.oneOf(executors),
  collect: v.optional(v.boolean(), false),
  checksum: flags.oneOf(checksumModes),
  "download-sample": flags.whole(0),
  "list-parallel": flags.whole(1),
  "allow-untransferable": v.optional(v.boolean(), false),
  "image-check": v.boolean(),
  json: v.optional(v.boolean(), false),
});

type Input = v.InferOutput<typeof schema>;

export default defineCommand({
  meta: {
    name: "xfer verify",
    description: "Compares the destination with a run's manifest, from listings alone",
  },
  args: {
    "run-dir": { type: "string", required: true, valueHint: "DIR", description: "the run directory" },
    executor: {
      type: "string",
      default: "local",
      valueHint: executors.join("|"),
      description: "compare here, or shard by shard in a Slurm array, whose verdicts --collect then adds up",
    },
    collect: { type: "boolean", description: "add up what the array has found" },
    checksum: {
      type: "string",
      default: "auto",
      valueHint: checksumModes.join("|"),
      description:
        "compare MD5 where both sides have it (on S3), fail objects that have none, or compare sizes only",
    },
    "download-sample": {
      type: "string",
      default: "0",
      valueHint: "N",
      description: "read N objects at the destination, chosen at random, and compare their content (local)",
    },
    "list-parallel": {
      type: "string",
      default: "1",
      valueHint: "N",
      description: "list the destination with N listings side by side (local)",
    },
    "allow-untransferable": flags.allowUntransferableArg,
    "image-check": flags.imageCheckArg,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    if (input.collect) return report(input, await collect(input["run-dir"]));
    if (input.executor === "local") return report(input, await verifyHere(input));
    if (input["download-sample"] > 0) throw invalidInput("--download-sample is for --executor local");
    const runDir = input["run-dir"];
    checkWholeManifest(runLayout(runDir), shardsOf(runDir));
    const jobId = await submitRun(runDir, {
      now: new Date(),
      imageCheck: input["image-check"],
      agentArgs: ["--verify", input.checksum],
    });
    if (input.json) await printJson(submittedJson(runDir, jobId));
    else await printText(submittedText(jobId));
    return exitCodes.done;
  },
});

async function verifyHere(input: Input): Promise<Verification> {
  const config = readRunConfig(runLayout(input["run-dir"]).config);
  requireFolder("--run-dir", input["run-dir"]);
  if (input["image-check"]) requireImageHere(config.runtime, config.rclone_image ?? undefined);
  requireConfPassword({
    configPath: config.rclone_config ?? undefined,
    runtime: config.runtime,
    flags: config.rclone_flags,
  });
  const live = new LiveLine();
  const { signal } = watchForStop(stopSignals);
  const result = await verifyRun({
    runDir: input["run-dir"],
    checksum: input.checksum,
    downloadSample: input["download-sample"],
    listParallel: input["list-parallel"],
    version,
    now: new Date(),
    stop: signal,
    onProgress: (doing, objects) => live.update(doingText(doing, objects)),
  });
  live.clear();
  return result;
}

async function collect(runDir: string): Promise<Verification> {
  const run = runLayout(runDir);
  const head = await verificationHead(run, readRunConfig(run.config), { version, now: new Date() });
  return collectVerification(run, shardsOf(runDir), head);
}

function shardsOf(runDir: string) {
  const { shardsMeta } = runLayout(runDir);
  const meta = readShardsMeta(shardsMeta);
  if (!meta) throw invalidInput(`${shardsMeta}: no such file: shard the manifest first`);
  return meta;
}

async function report(input: Input, result: Verification): Promise<ExitCode> {
  if (input.json) await printJson(verificationJson(result, input["run-dir"]));
  else await printText(verificationText(result, input["run-dir"]));
  const isWhole = result.untransferable.objects === 0 || input["allow-untransferable"];
  return result.verified && isWhole ? exitCodes.done : exitCodes.failed;
}
