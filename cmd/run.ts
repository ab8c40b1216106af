import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineCommand } from "citty";
import * as v from "valibot";
import { compareModes } from "../lib/compare/delta-rule.ts";
import { minShardSecondsHere } from "../lib/estimate/cost-model.ts";
import { checkRequest } from "../lib/launch/check-request.ts";
import { requireImageHere } from "../lib/launch/image-check.ts";
import { prepareRun } from "../lib/launch/prepare.ts";
import { renderRun } from "../lib/launch/render.ts";
import { type RunEnd, runHere } from "../lib/launch/run-here.ts";
import { submitRun } from "../lib/launch/submit.ts";
import type { Lister } from "../lib/listing/lister.ts";
import { readUntransferable } from "../lib/manifest/untransferable.ts";
import { remoteContext } from "../lib/rclone/conf.ts";
import { arrayPasswordProblem, requireConfPassword } from "../lib/rclone/conf-password.ts";
import { requireApart } from "../lib/rclone/overlap.ts";
import type { MetadataMode } from "../lib/rclone/preserved.ts";
import { checkImage } from "../lib/rclone/reach.ts";
import { checkRoot } from "../lib/rclone/root.ts";
import type { RuntimeName } from "../lib/rclone/runtime.ts";
import { sortUserFlags } from "../lib/rclone/user-flags.ts";
import { emptyAccount } from "../lib/run/account.ts";
import type { FailureCause } from "../lib/run/causes.ts";
import type { RunConfig } from "../lib/run/config.ts";
import { readDeltaSame } from "../lib/run/delta-totals.ts";
import { runLayout } from "../lib/run/layout.ts";
import { shardStrategies } from "../lib/shard/meta.ts";
import { requireSbatch } from "../lib/slurm/sbatch.ts";
import { type ExitCode, exitCodes, invalidInput } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { isCompiled, ownCommand } from "../lib/system/process.ts";
import { verifyAfterRun } from "../lib/verify/after-run.ts";
import { version } from "../package.json" with { type: "json" };
import { checkRcloneConfig, requireListingPassword } from "./flags/checks.ts";
import { buildOptionsOf } from "./flags/listing.ts";
import * as flags from "./flags/values.ts";
import { accountText, failedText, progressLine } from "./view/account.ts";
import { listingText } from "./view/built.ts";
import { causeMessages } from "./view/causes.ts";
import { doingText } from "./view/doing.ts";
import { nothingToCopyText, readyJson, readyText, verifyLaterText } from "./view/launched.ts";
import { LiveLine } from "./view/live-line.ts";
import { printJson, printText } from "./view/print.ts";
import { lookForBucketFirst, sayPreserved } from "./view/start-words.ts";
import { runJson, runVerificationText } from "./view/verification.ts";

const executors = ["slurm", "local"] as const;

const schema = v.object({
  source: flags.optionalText,
  dest: flags.optionalText,
  "run-dir": flags.requiredText,
  "num-shards": v.optional(flags.shardCount),
  strategy: flags.oneOf(shardStrategies),
  executor: flags.oneOf(executors),
  delta: v.optional(v.boolean(), false),
  compare: flags.oneOf(compareModes),
  submit: v.optional(v.boolean(), false),
  verify: v.optional(v.boolean()),
  "allow-untransferable": v.optional(v.boolean(), false),
  json: v.optional(v.boolean(), false),
  ...flags.rcloneSchema,
  ...flags.listSchema,
  ...flags.renderSchema,
});

const numShardsDefault = { slurm: 256, local: "auto" } as const;

export default defineCommand({
  meta: {
    name: "xfer run",
    description: "Builds, shards and renders a transfer, and runs it here or submits it",
  },
  args: {
    source: { type: "string", valueHint: "ROOT", description: "what to copy: a path, or remote:path" },
    dest: { type: "string", valueHint: "ROOT", description: "where to: a path, or remote:path" },
    "run-dir": {
      type: "string",
      default: "run",
      valueHint: "DIR",
      description: "the run directory; resumes what is there",
    },
    "num-shards": {
      type: "string",
      valueHint: "N",
      description: `how many shards; auto takes what xfer manifest analyze suggests (default: ${numShardsDefault.slurm}; with --executor local: ${numShardsDefault.local})`,
    },
    strategy: flags.strategyArg,
    executor: {
      type: "string",
      default: "slurm",
      valueHint: executors.join("|"),
      description: "run the agents as a Slurm array, or here as child processes",
    },
    delta: { type: "boolean", description: "copy only what is missing or differs at the destination" },
    compare: flags.compareArg,
    submit: { type: "boolean", description: "submit the array (slurm)" },
    verify: {
      type: "boolean",
      description:
        "end with a comparison of the destination's listing with the manifest (local; the default there)",
      negativeDescription: "do not compare the destination after the copy",
    },
    "allow-untransferable": flags.allowUntransferableArg,
    ...flags.rcloneArgs,
    ...flags.listArgs,
    ...flags.renderArgs,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const local = input.executor === "local";
    if (!local && input.verify)
      throw invalidInput("--verify is for --executor local: run xfer verify when the array has ended");
    if (local && input.submit)
      throw invalidInput("--submit is for --executor slurm: local runs the agents at once");
    const runtime = input.runtime ?? (local ? "host" : "pyxis");
    checkImage(runtime, input["rclone-image"]);
    const listsHere = !existsSync(runLayout(input["run-dir"]).manifest);
    checkRcloneConfig(input["rclone-config"], runtime === "host" && (local || listsHere || input.delta));
    if (listsHere || input.delta) requireListingPassword(input, runtime);
    checkAgentsPassword(input, runtime);
    // Without a file named, the agents of an array have the default one of where they run.
    const context =
      local || input["rclone-config"] !== undefined
        ? remoteContext(input["rclone-config"], runtime)
        : undefined;
    const sourceRoot = input.source && checkRoot("--source", input.source, context);
    const destRoot = input.dest && checkRoot("--dest", input.dest, context);
    if (sourceRoot && destRoot) {
      requireApart(
        { source: { name: "--source", root: sourceRoot }, dest: { name: "--dest", root: destRoot } },
        remoteContext(input["rclone-config"], runtime),
      );
    }
    const live = new LiveLine();
    const watch = watchForStop(stopSignals);
    const { "run-dir": runDir } = input;
    const agentPath =
      local && input["agent-path"] === undefined && isCompiled() ? process.execPath : input["agent-path"];
    const render = {
      ...flags.renderOptionsOf(
        { ...input, "agent-path": agentPath },
        { runtime, arrayConcurrency: local ? availableParallelism() : flags.arrayConcurrencyDefault },
      ),
      runDir,
      now: new Date(),
    };
    const build = {
      ...buildOptionsOf(input, {
        runtime,
        stop: watch.signal,
        onProgress: (t) => live.update(listingText(t)),
      }),
      sourceRoot,
      destRoot,
    };
    await checkFirst(input, render, { source: sourceRoot, dest: destRoot, listsHere });
    if (listsHere && sourceRoot && destRoot) {
      await startOf(build, { source: sourceRoot, dest: destRoot }, runtime, render);
    }
    const config = await prepareRun({
      build,
      numShards: input["num-shards"],
      numShardsDefault: numShardsDefault[input.executor],
      minShardSeconds: local ? minShardSecondsHere : undefined,
      strategy: input.strategy,
      delta: input.delta
        ? {
            compare: input.compare,
            bucket: input["create-bucket"] ? "may-be-missing" : "must-be-there",
            onProgress: (doing, objects) => live.update(doingText(doing, objects)),
          }
        : undefined,
      render,
    });
    live.clear();
    if (!config && !input.json) {
      await printText(nothingToCopyText(input.compare));
    }
    if (!local) return endOnSlurm(input, config !== undefined, watch.signal);
    if (!config) {
      // Rendered as far as the verification needs it: there are no shards.
      const { manifest: manifestPath } = runLayout(runDir);
      await renderRun({ ...render, manifestPath, numShards: 1, sourceRoot: undefined, destRoot: undefined });
    }
    return endHere(input, config, { live, stop: watch.signal });
  },
});

type Input = v.InferOutput<typeof schema>;

/** Checks all that can be known before the source is listed, and says what the user should know of it. */
async function checkFirst(
  input: Input,
  request: Parameters<typeof checkRequest>[0],
  given: { source: string | undefined; dest: string | undefined; listsHere: boolean },
): Promise<void> {
  const local = input.executor === "local";
  // The agents of an array have another environment.
  if (local) sortUserFlags(request.rcloneFlags, process.env);
  const notes = await checkRequest(request, given);
  if (input["image-check"] && (local || input.submit || given.listsHere || input.delta)) {
    requireImageHere(request.rclone.runtime, request.rclone.image);
  }
  if (input.submit) requireSbatch();
  for (const note of notes) log.warn(note);
}

/** Throws, or warns of a run that is not submitted yet, when the agents could not read their rclone.conf. */
function checkAgentsPassword(input: Input, runtime: RuntimeName): void {
  const flags = [...input["rclone-flags"], ...input["add-rclone-flags"]];
  const use = { configPath: input["rclone-config"], runtime, flags };
  if (input.executor === "local") requireConfPassword(use);
  const problem = input.executor === "local" ? undefined : arrayPasswordProblem(use);
  if (problem === undefined) return;
  if (input.submit) throw invalidInput(problem);
  log.warn(problem);
}

/** Before anything is listed: what is preserved, and whether the destination's bucket is there, where rclone runs here. */
async function startOf(
  lister: Lister,
  ends: { source: string; dest: string },
  runtime: RuntimeName,
  asked: { metadata: MetadataMode; createBucket: boolean; rcloneFlags: readonly string[] },
): Promise<void> {
  const { given } = sortUserFlags(asked.rcloneFlags, process.env);
  const context = remoteContext(lister.configPath, runtime, given);
  sayPreserved(ends, context, asked);
  if (runtime === "host") await lookForBucketFirst(lister, ends.dest, context, asked);
}

/** Submits a run, or says how. */
async function endOnSlurm(input: Input, hasShards: boolean, stop: AbortSignal): Promise<ExitCode> {
  const runDir = input["run-dir"];
  const submits = input.submit && hasShards;
  const jobId = submits
    ? await submitRun(runDir, { now: new Date(), imageCheck: input["image-check"], stop })
    : null;
  if (input.json) await printJson(readyJson(runDir, jobId));
  else if (hasShards) await printText(readyText(runDir, jobId));
  if (hasShards && input.verify !== false) {
    log.info(verifyLaterText(runDir));
  }
  // With nothing to copy the run ends here.
  return hasShards || (await isWhole(input)) ? exitCodes.done : exitCodes.failed;
}

/** Whether nothing of the source is untransferable, or that is allowed. */
async function isWhole(input: Input): Promise<boolean> {
  if (input["allow-untransferable"]) return true;
  return (await readUntransferable(runLayout(input["run-dir"]).manifest)).objects === 0;
}

/** Runs the agents of a run that has shards, compares the destination with the manifest, and says how it went. */
async function endHere(
  input: Input,
  config: RunConfig | undefined,
  { live, stop }: { live: LiveLine; stop: AbortSignal },
): Promise<ExitCode> {
  const runDir = input["run-dir"];
  const untransferable = await readUntransferable(runLayout(runDir).manifest);
  let account = emptyAccount(untransferable, readDeltaSame(runLayout(runDir), undefined));
  let copied: ExitCode = exitCodes.done;
  let causes: FailureCause[] = [];
  if (config) {
    const end = await runHere({
      runDir,
      concurrency: config.array_concurrency,
      command: ownCommand(),
      submission: `local:${new Date().toISOString()}`,
      stop,
      onProgress: (progress) => {
        const { parts, news } = progressLine(progress, Date.now());
        live.update(parts, { news });
      },
    });
    live.clear();
    ({ account, causes, exitCode: copied } = end);
    await sayEnd(input, end);
  }
  const result = await verifyAfterRun({
    wanted: input.verify ?? true,
    copied,
    verify: {
      runDir,
      checksum: "auto",
      downloadSample: 0,
      listParallel: input["list-parallel"],
      version,
      now: new Date(),
      stop,
      onProgress: (doing, objects) => live.update(doingText(doing, objects)),
    },
  });
  live.clear();
  if (!input.json) await printText(runVerificationText(result, runDir));
  else await printJson(runJson({ account, causes, runDir, end: result }));
  return result.exitCode === exitCodes.done && !(await isWhole(input)) ? exitCodes.failed : result.exitCode;
}

/** Says how the copy has ended: the account with the reasons, or where that is JSON, the reasons on stderr. */
async function sayEnd(input: Input, { account, causes, failedShards }: RunEnd): Promise<void> {
  const runDir = input["run-dir"];
  const failed = failedText(account, failedShards);
  if (failed !== undefined) log.error(failed);
  if (!input.json) await printText(accountText(account, runDir, causes));
  else for (const message of causeMessages(causes, runDir)) log.error(message);
}
