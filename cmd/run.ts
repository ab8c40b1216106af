import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineCommand } from "citty";
import * as v from "valibot";
import { compareModes } from "../lib/manifest/delta.ts";
import { shardStrategies } from "../lib/manifest/shards-meta.ts";
import { readUntransferable } from "../lib/manifest/untransferable.ts";
import { emptyAccount } from "../lib/run/account.ts";
import { checkImage, checkRoot } from "../lib/run/inputs.ts";
import { runLayout } from "../lib/run/layout.ts";
import { prepareRun } from "../lib/run/prepare.ts";
import { remoteContext } from "../lib/run/remotes.ts";
import { runHere } from "../lib/run/run-here.ts";
import { submitRun } from "../lib/run/submit.ts";
import { verifyRun } from "../lib/run/verify.ts";
import { exitCodes, invalidInput } from "../lib/system/errors.ts";
import { watchForStop } from "../lib/system/interrupt.ts";
import { LiveLine } from "../lib/system/live-line.ts";
import { isCompiled, ownCommand } from "../lib/system/process.ts";
import { formatObjects } from "../lib/system/units.ts";
import { version } from "../package.json" with { type: "json" };
import { accountText, progressText, verificationText } from "./account-text.ts";
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
  verify: v.optional(v.boolean(), false),
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
      description: "compare the destination with the manifest after the copy (local)",
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
    const { "run-dir": runDir, "allow-untransferable": allowUntransferable } = input;
    const agentPath =
      local && input["agent-path"] === undefined && isCompiled() ? process.execPath : input["agent-path"];
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
      render: {
        ...flags.renderOptionsOf(
          { ...input, "agent-path": agentPath },
          { runtime, arrayConcurrency: local ? availableParallelism() : flags.arrayConcurrencyDefault },
        ),
        runDir,
        now: new Date(),
      },
    });
    live.clear();
    if (!config) {
      const untransferable = await readUntransferable(runLayout(runDir).manifest);
      if (!input.json)
        await printText(
          `nothing to copy: the destination holds every object, compared by ${input.compare}\n`,
        );
      else if (local) await printJson({ ...emptyAccount(untransferable), run_dir: runDir });
      else await printJson({ schema: "xfer.run.v1", run_dir: runDir, job_id: null });
      return untransferable.objects > 0 && !allowUntransferable ? exitCodes.failed : exitCodes.done;
    }
    if (!local) {
      const imageCheck = input["image-check"];
      const jobId = input.submit ? await submitRun(runDir, { now: new Date(), imageCheck }) : null;
      if (input.json) await printJson({ schema: "xfer.run.v1", run_dir: runDir, job_id: jobId });
      else
        await printText(
          jobId === null
            ? `${runDir}: ready; submit with: xfer slurm submit --run-dir ${runDir}\n`
            : `${jobId}\n`,
        );
      return exitCodes.done;
    }
    const { account, exitCode } = await runHere({
      runDir,
      concurrency: config.array_concurrency,
      command: ownCommand(),
      allowUntransferable,
      submission: `local:${new Date().toISOString()}`,
      stop: watch.signal,
      onProgress: (progress) => live.update(progressText(progress)),
    });
    live.clear();
    if (!input.json) await printText(accountText(account, runDir));
    const verification =
      input.verify && exitCode === exitCodes.done
        ? await verifyRun({
            runDir,
            checksum: "auto",
            downloadSample: 0,
            listParallel: input["list-parallel"],
            version,
            now: new Date(),
            stop: watch.signal,
            onProgress: (doing, objects) => live.update(`${doing}: ${formatObjects(objects)}`),
          })
        : undefined;
    live.clear();
    if (input.json) await printJson({ ...account, run_dir: runDir, verification });
    else if (verification) await printText(verificationText(verification, runDir));
    return verification && !verification.verified ? exitCodes.failed : exitCode;
  },
});
