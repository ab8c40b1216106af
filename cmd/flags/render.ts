import { clusterDefaults } from "../../lib/estimate/cost-model.ts";
import type { AgentSource } from "../../lib/launch/install-agent.ts";
import type { RenderOptions } from "../../lib/launch/request.ts";
import type { MetadataMode } from "../../lib/rclone/preserved.ts";
import type { RuntimeName } from "../../lib/rclone/runtime.ts";
import { slurmWordsProblem } from "../../lib/rclone/secrets.ts";
import { sortUserFlags } from "../../lib/rclone/user-flags.ts";
import { maxRestartsDefault } from "../../lib/run/config.ts";
import { sbatchExtras } from "../../lib/slurm/sbatch-extras.ts";
import {
  jobNameProblem,
  memoryProblem,
  partitionProblem,
  stopLead,
  stopLeadSecondsDefault,
  stopLeadSecondsMax,
  timeLimitProblem,
} from "../../lib/slurm/values.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { version } from "../../package.json" with { type: "json" };
import type { OptionsOf } from "./flag.ts";
import { flag, noLimit } from "./make.ts";
import { imageOf, type rcloneFlags } from "./rclone.ts";

/** What the array asks of Slurm. */
const slurmFlags = {
  partition: flag.checked(partitionProblem, {
    default: "transfer",
    valueHint: "NAME",
    group: "slurm",
    common: true,
    description: "Slurm's partition",
  }),
  "array-concurrency": flag.whole(1, noLimit, {
    group: "slurm",
    common: true,
    defaultText: String(clusterDefaults.arrayConcurrency),
    description: "tasks that run at a time",
  }),
  "time-limit": flag.checked(timeLimitProblem, {
    default: "24:00:00",
    valueHint: "TIME",
    group: "slurm",
    description: "Slurm's time limit of a task",
  }),
  "cpus-per-task": flag.whole(1, noLimit, {
    default: clusterDefaults.cpusPerTask,
    group: "slurm",
    description: "CPUs of a task",
  }),
  mem: flag.checked(memoryProblem, {
    default: "8G",
    valueHint: "SIZE",
    group: "slurm",
    description: "memory of a task",
  }),
  "job-name": flag.checked(jobNameProblem, {
    default: "xfer",
    valueHint: "NAME",
    group: "slurm",
    description: "Slurm's job name",
  }),
  "max-attempts": flag.whole(1, noLimit, {
    default: 5,
    group: "slurm",
    description: "attempts at a shard, requeues included",
  }),
  "max-restarts": flag.whole(0, noLimit, {
    default: maxRestartsDefault,
    group: "slurm",
    description: "starts ended by time limit, preemption or a lost node that spend no attempt",
  }),
  "stop-lead": flag.whole(1, stopLeadSecondsMax, {
    valueHint: "SECONDS",
    group: "slurm",
    defaultText: `${stopLeadSecondsDefault}, or half of a short limit`,
    description: "how long before the time limit a task stops and requeues itself",
  }),
  "sbatch-extras": flag.words(
    {
      group: "slurm",
      description: "more options for sbatch: words, or lines with or without #SBATCH (\\n ends a line, too)",
    },
    { read: sbatchExtras, problemOf: slurmWordsProblem },
  ),
  "agent-path": flag.file({
    group: "slurm",
    defaultText: "this one is copied to bin/xfer",
    description: "an xfer binary that is on the cluster already",
  }),
};

/** How the agents copy. */
const copyFlags = {
  "rclone-flags": flag.words({
    default: "--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20",
    valueHint: "FLAGS",
    group: "rclone",
    description:
      "flags for rclone copy in place of the default ones; --retries: passes over what is unproven",
  }),
  "add-rclone-flags": flag.words({
    valueHint: "FLAGS",
    group: "rclone",
    description: "more flags for rclone copy, after those of --rclone-flags; the last one wins",
  }),
  metadata: flag.onOff({
    group: "rclone",
    defaultText: "from S3 to S3, where it costs no request",
    description: "carry metadata between any two places",
    negativeDescription: "carry no metadata but the content type and the modification time",
  }),
  "create-bucket": flag.on({
    group: "rclone",
    description: "create the destination's bucket when it is not there",
  }),
};

/** For commands that submit. */
export const forceFlag = flag.on({
  group: "slurm",
  description: "submit although a check says that it cannot work",
});

/** What the array asks of Slurm, and how its agents copy. */
export const renderFlags = { ...slurmFlags, ...copyFlags };

type RenderInput = OptionsOf<typeof renderFlags>;

/** What of RenderOptions comes from flags. */
export type RenderedFlags = Omit<
  RenderOptions,
  "runDir" | "manifestPath" | "numShards" | "sourceRoot" | "destRoot" | "now" | "stop"
>;

/** The part of RenderOptions that comes from the flags of rcloneFlags and renderFlags. */
export function renderOptionsOf(
  input: OptionsOf<typeof rcloneFlags> & RenderInput,
  defaults: { runtime: RuntimeName; arrayConcurrency: number; binary: string | undefined },
): RenderedFlags {
  const runtime = input.runtime ?? defaults.runtime;
  const wordsOfRclone = [...input["rclone-flags"], ...input["add-rclone-flags"]];
  return {
    rclone: {
      runtime,
      image: imageOf(input, runtime),
      configPath: input["rclone-config"],
      confInContainer: input["rclone-conf-in-container"],
      pyxisExtra: input["pyxis-extra"],
    },
    rcloneFlags: wordsOfRclone,
    metadata: metadataOf(input.metadata, wordsOfRclone),
    createBucket: input["create-bucket"],
    maxAttempts: input["max-attempts"],
    maxRestarts: input["max-restarts"],
    slurm: {
      jobName: input["job-name"],
      arrayConcurrency: input["array-concurrency"] ?? defaults.arrayConcurrency,
      timeLimit: input["time-limit"],
      partition: input.partition,
      cpusPerTask: input["cpus-per-task"],
      mem: input.mem,
      stopLeadSeconds: stopLeadOf(input),
      sbatchExtras: input["sbatch-extras"],
    },
    agent: agentOf(input["agent-path"], defaults.binary),
    version,
  };
}

function stopLeadOf(input: RenderInput): number {
  const own = input["sbatch-extras"].findLast((word) => word.startsWith("--time="));
  const lead = stopLead(input["stop-lead"], own?.slice("--time=".length) ?? input["time-limit"]);
  if ("problem" in lead) throw invalidInput(`--stop-lead: ${lead.problem}`);
  return lead.seconds;
}

/** Throws invalid input when the user's own flags for rclone say the opposite. */
function metadataOf(asked: boolean | undefined, rcloneWords: readonly string[]): MetadataMode {
  if (asked === undefined) return "auto";
  const said = sortUserFlags(rcloneWords).given.get("metadata");
  if (said !== undefined && (said === "true") !== asked) {
    throw invalidInput(
      `--${asked ? "" : "no-"}metadata: --rclone-flags say --metadata=${said}: leave one of them out`,
    );
  }
  return asked ? "on" : "off";
}

function agentOf(path: string | undefined, binary: string | undefined): AgentSource {
  if (path !== undefined) return { path };
  if (binary !== undefined) return { copyOf: binary };
  throw invalidInput(
    "--agent-path is needed: this xfer is not the compiled binary, so it cannot copy itself",
  );
}
