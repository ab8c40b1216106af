import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineCommand } from "citty";
import * as v from "valibot";
import { compareModes } from "../lib/manifest/delta.ts";
import { shardStrategies } from "../lib/manifest/shards-meta.ts";
import { readUntransferable } from "../lib/manifest/untransferable.ts";
import { emptyAccount } from "../lib/run/account.ts";
import type { RunConfig } from "../lib/run/config.ts";
import { checkImage, checkRoot } from "../lib/run/inputs.ts";
import { runLayout } from "../lib/run/layout.ts";
import { prepareRun } from "../lib/run/prepare.ts";
import { remoteContext } from "../lib/run/remotes.ts";
import { renderRun } from "../lib/run/render.ts";
import { runHere } from "../lib/run/run-here.ts";
import { submitRun } from "../lib/run/submit.ts";
import { type ExitCode, exitCodes, invalidInput } from "../lib/system/errors.ts";
import { watchForStop } from "../lib/system/interrupt.ts";
import { LiveLine } from "../lib/system/live-line.ts";
import { log } from "../lib/system/log.ts";
import { isCompiled, ownCommand } from "../lib/system/process.ts";
import { formatObjects } from "../lib/system/units.ts";
import { verifyAfterRun } from "../lib/verify/after-run.ts";
import { version } from "../package.json" with { type: "json" };
import { accountText, progressText, runVerificationText, throttlingText } from "./account-text.ts";
import * as flags from "./flags.ts";
import { buildOptionsOf, checkRcloneConfig, listingText } from "./listing.ts";
import { printJson, printText } from "./print.ts";

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
  "image-check": v.boolean(),
  json: v.optional(v.boolean(), false),
  ...flags.rcloneSchema,
  ...flags.listSchema,
  ...flags.renderSchema,
});

const numShardsDefault = 256;

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
      description: `how many shards; auto takes what xfer manifest analyze suggests (default: ${numShardsDefault})`,
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
    "image-check": flags.imageCheckArg,
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
    // Without a file named, the agents of an array have the default one of where they run.
    const context =
      local || input["rclone-config"] !== undefined
        ? remoteContext(input["rclone-config"], runtime)
        : undefined;
    const live = new LiveLine();
    const watch = watchForStop(["SIGINT", "SIGTERM", "SIGHUP"]);
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
    const config = await prepareRun({
      build: {
        ...buildOptionsOf(input, {
          runtime,
          stop: watch.signal,
          onProgress: (t) => live.update(listingText(t)),
        }),
        sourceRoot: input.source && checkRoot("--source", input.source, context),
        destRoot: input.dest && checkRoot("--dest", input.dest, context),
      },
      numShards: input["num-shards"],
      numShardsDefault,
      strategy: input.strategy,
      delta: input.delta
        ? {
            compare: input.compare,
            onProgress: (doing, objects) => live.update(`${doing}: ${formatObjects(objects)}`),
          }
        : undefined,
      render,
    });
    live.clear();
    if (!config && !input.json) {
      await printText(`nothing to copy: the destination holds every object, compared by ${input.compare}\n`);
    }
    if (!local) return endOnSlurm(input, config !== undefined);
    if (!config) {
      // Rendered as far as the verification needs it: there are no shards.
      const { manifest: manifestPath } = runLayout(runDir);
      await renderRun({ ...render, manifestPath, numShards: 1, sourceRoot: undefined, destRoot: undefined });
    }
    return endHere(input, config, { live, stop: watch.signal });
  },
});

type Input = v.InferOutput<typeof schema>;

/** Submits a run, or says how. */
async function endOnSlurm(input: Input, hasShards: boolean): Promise<ExitCode> {
  const runDir = input["run-dir"];
  const submits = input.submit && hasShards;
  const jobId = submits
    ? await submitRun(runDir, { now: new Date(), imageCheck: input["image-check"] })
    : null;
  if (input.json) await printJson({ schema: "xfer.run.v1", run_dir: runDir, job_id: jobId });
  else if (hasShards)
    await printText(
      jobId === null
        ? `${runDir}: ready; submit with: xfer slurm submit --run-dir ${runDir}\n`
        : `${jobId}\n`,
    );
  if (hasShards && input.verify !== false) {
    log.info(`when the array has ended, compare the destination: xfer verify --run-dir ${runDir}`);
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
  let account = emptyAccount(untransferable);
  let copied: ExitCode = exitCodes.done;
  let saidThrottled = false;
  if (config) {
    ({ account, exitCode: copied } = await runHere({
      runDir,
      concurrency: config.array_concurrency,
      command: ownCommand(),
      submission: `local:${new Date().toISOString()}`,
      stop,
      onProgress: (progress) => {
        if (progress.throttling && !saidThrottled) {
          saidThrottled = true;
          live.clear();
          log.warn(throttlingText(progress.throttling));
        }
        live.update(progressText(progress));
      },
    }));
    live.clear();
    if (!input.json) await printText(accountText(account, runDir));
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
      onProgress: (doing, objects) => live.update(`${doing}: ${formatObjects(objects)}`),
    },
  });
  live.clear();
  const { verified, verification, notVerified } = result;
  if (!input.json) await printText(runVerificationText(result, runDir));
  else await printJson({ ...account, run_dir: runDir, verified, not_verified: notVerified, verification });
  return result.exitCode === exitCodes.done && !(await isWhole(input)) ? exitCodes.failed : result.exitCode;
}
