import { checksumModes } from "../lib/compare/verify-rule.ts";
import { requireImageHere } from "../lib/launch/image-check.ts";
import { submitRun } from "../lib/launch/submit.ts";
import { requireConfPassword } from "../lib/rclone/conf-password.ts";
import { readRunConfig } from "../lib/run/config.ts";
import { runLayout } from "../lib/run/layout.ts";
import { requireShardsMeta } from "../lib/shard/meta.ts";
import { type ExitCode, exitCodes, invalidInput } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { requireFolder } from "../lib/system/writable.ts";
import { checkWholeManifest, collectVerification } from "../lib/verify/collect.ts";
import { type Verification, verificationHead } from "../lib/verify/verification.ts";
import { verifyRun } from "../lib/verify/verify-run.ts";
import { version } from "../package.json" with { type: "json" };
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import type { OptionsOf } from "./flags/flag.ts";
import { listParallelFlag } from "./flags/listing.ts";
import { flag, noLimit } from "./flags/make.ts";
import { jsonFlag } from "./flags/output.ts";
import { allowUntransferableFlag } from "./flags/plan.ts";
import { imageCheckFlag } from "./flags/rclone.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { doingText } from "./view/doing.ts";
import { submittedJson, submittedText } from "./view/launched.ts";
import { LiveLine } from "./view/live-line.ts";
import { printJson, printText } from "./view/print.ts";
import { verificationJson, verificationText } from "./view/verification.ts";

const executors = ["local", "slurm"] as const;

const verifyFlags = {
  "run-dir": runDirFlag,
  executor: flag.oneOf(executors, {
    default: "local",
    group: "what",
    common: true,
    description: "compare here, or shard by shard in a Slurm array, for --collect to add up",
  }),
  collect: flag.on({ group: "what", common: true, description: "add up what the array has found" }),
  checksum: flag.oneOf(checksumModes, {
    default: "auto",
    group: "what",
    common: true,
    description: "compare MD5s where both sides have them, fail objects without, or sizes alone",
  }),
  "download-sample": flag.whole(0, noLimit, {
    default: 0,
    group: "what",
    common: true,
    description: "read N objects at the destination, chosen at random (local)",
  }),
  "list-parallel": {
    ...listParallelFlag,
    description: "list up to N prefixes of the destination side by side (local)",
  },
  "allow-untransferable": allowUntransferableFlag,
  "image-check": imageCheckFlag,
  cluster: clusterFlag,
  json: jsonFlag,
};

type Input = OptionsOf<typeof verifyFlags>;

/** What a verification does, beside what all ways of it need. */
type VerifyOptions = { runDir: string; json: boolean; allowsUntransferable: boolean } & (
  | { how: "collect" }
  | { how: "array"; checksum: Checksum; imageCheck: boolean }
  | { how: "here"; checksum: Checksum; imageCheck: boolean; downloadSample: number; listParallel: number }
);

type Checksum = (typeof checksumModes)[number];

/** What the flags ask for. Throws invalid input for flags that contradict each other. */
export function optionsOf(input: Input): VerifyOptions {
  const all = {
    runDir: input["run-dir"],
    json: input.json,
    allowsUntransferable: input["allow-untransferable"],
  };
  if (input.collect) return { ...all, how: "collect" };
  const { checksum, "image-check": imageCheck, "download-sample": downloadSample } = input;
  if (input.executor === "local") {
    const listParallel = input["list-parallel"];
    return { ...all, how: "here", checksum, imageCheck, downloadSample, listParallel };
  }
  if (downloadSample > 0) throw invalidInput("--download-sample is for --executor local");
  return { ...all, how: "array", checksum, imageCheck };
}

export default command({
  name: "xfer verify",
  description: "Compares the destination with a run's manifest, from listings alone",
  details: [
    "Each object is hash-proven, size-only, missing or differing; what no hash proves is in verify.jsonl, the totals are in " +
      "verify.json. MD5s come free with a listing of S3, but for objects uploaded in parts (a HEAD each). --checksum require " +
      "reads a POSIX destination to make them. Metadata is never compared.",
  ],
  examples: [
    { says: "Compare the destination with a run", line: "xfer verify --run-dir run" },
    { says: "Read ten objects too", line: "xfer verify --run-dir run --download-sample 10" },
    { says: "Add up what an array of --executor slurm found", line: "xfer verify --run-dir run --collect" },
  ],
  flags: verifyFlags,
  async run(input) {
    const options = optionsOf(input);
    switch (options.how) {
      case "collect":
        return report(options, await collect(options.runDir));
      case "here":
        return report(options, await verifyHere(options));
      case "array":
        return submit(options);
    }
  },
});

async function submit(options: VerifyOptions & { how: "array" }): Promise<ExitCode> {
  const { runDir, imageCheck, checksum } = options;
  checkWholeManifest(runLayout(runDir), shardsOf(runDir));
  const agentArgs = ["--verify", checksum];
  const jobId = await submitRun(runDir, { now: new Date(), imageCheck, kind: "verify", agentArgs });
  if (options.json) await printJson(submittedJson(runDir, jobId));
  else await printText(submittedText(jobId));
  return exitCodes.done;
}

async function verifyHere(options: VerifyOptions & { how: "here" }): Promise<Verification> {
  const { runDir, checksum, downloadSample, listParallel } = options;
  const config = readRunConfig(runLayout(runDir).config);
  requireFolder("--run-dir", runDir);
  if (options.imageCheck) requireImageHere(config.runtime, config.rclone_image ?? undefined);
  requireConfPassword({
    configPath: config.rclone_config ?? undefined,
    runtime: config.runtime,
    flags: config.rclone_flags,
  });
  const live = new LiveLine();
  const { signal: stop } = watchForStop(stopSignals);
  const result = await verifyRun({
    runDir,
    checksum,
    downloadSample,
    listParallel,
    version,
    now: new Date(),
    stop,
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

const shardsOf = (runDir: string) => requireShardsMeta(runLayout(runDir).shardsMeta);

async function report(options: VerifyOptions, result: Verification): Promise<ExitCode> {
  if (options.json) await printJson(verificationJson(result, options.runDir));
  else await printText(verificationText(result, options.runDir));
  const isWhole = result.untransferable.objects === 0 || options.allowsUntransferable;
  return result.verified && isWhole ? exitCodes.done : exitCodes.failed;
}
