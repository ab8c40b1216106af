import { resolve } from "node:path";
import * as v from "valibot";
import { hashModes } from "../../lib/build/from-listing.ts";
import { compareModes } from "../../lib/compare/delta-rule.ts";
import type { RenderOptions } from "../../lib/launch/request.ts";
import { modtimeModes } from "../../lib/rclone/argv.ts";
import type { MetadataMode } from "../../lib/rclone/preserved.ts";
import { absoluteImage, type RuntimeName, runtimeNames } from "../../lib/rclone/runtime.ts";
import { imageProblem, slurmWordsProblem } from "../../lib/rclone/secrets.ts";
import { sortUserFlags } from "../../lib/rclone/user-flags.ts";
import { maxRestartsDefault } from "../../lib/run/config.ts";
import { shardStrategies } from "../../lib/shard/meta.ts";
import { sbatchExtras, srunExtras } from "../../lib/slurm/sbatch-extras.ts";
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
import { isCompiled } from "../../lib/system/process.ts";
import { splitWords } from "../../lib/system/shell-words.ts";
import { version } from "../../package.json" with { type: "json" };

/** Flags that several commands share, declared once, and the schemas that read them. */

export const json = { type: "boolean", description: "print the result as JSON" } as const;

/** How rclone is reached. */
export const rcloneArgs = {
  runtime: {
    type: "string",
    valueHint: runtimeNames.join("|"),
    description:
      "how rclone is reached: in a container through srun, in an apptainer container, or from PATH (default: pyxis; host with --executor local)",
  },
  "rclone-image": {
    type: "string",
    valueHint: "IMAGE",
    description: "the container image, best one file that all nodes see (not needed with host)",
  },
  "rclone-config": {
    type: "string",
    valueHint: "FILE",
    description: "rclone.conf, as a path where rclone runs (host: rclone's own default)",
  },
  "pyxis-extra": { type: "string", valueHint: "WORDS", description: "more options for srun" },
} as const;

/** The roots of a manifest. */
export const rootArgs = {
  source: {
    type: "string",
    required: true,
    valueHint: "ROOT",
    description: "what to copy: a path, or remote:path",
  },
  dest: {
    type: "string",
    required: true,
    valueHint: "ROOT",
    description: "where to: a path, or remote:path",
  },
} as const;

export const runIdArg = {
  type: "string",
  valueHint: "ID",
  description: "the run's id (default: time and random digits)",
} as const;

/** Before rclone is run in an image, here or by an array. */
export const imageCheckArg = {
  type: "boolean",
  default: true,
  description: "look first whether the image can be read",
  negativeDescription: "do not look at the image: only the compute nodes see it",
} as const;

/** How a listing is run, of the source or of the destination. */
export const listerArgs = {
  "image-check": imageCheckArg,
  "container-conf-path": {
    type: "string",
    default: "/etc/rclone/rclone.conf",
    valueHint: "FILE",
    description: "where rclone.conf is mounted in the listing's container",
  },
  "fast-list": {
    type: "boolean",
    default: true,
    description: "one LIST per 1,000 objects, whatever the prefixes",
    negativeDescription: "list prefix by prefix: less memory",
  },
  "list-parallel": {
    type: "string",
    default: "1",
    valueHint: "N",
    description:
      "list up to N prefixes side by side where it pays; finished ones are kept until all is listed",
  },
  "extra-lsjson-flags": { type: "string", valueHint: "FLAGS", description: "more flags for rclone lsjson" },
  verbose: { type: "boolean", alias: "v", description: "show rclone's messages; -vv its debugging too" },
  "very-verbose": { type: "boolean", description: "the same as -vv" },
} as const;

/** How the source is listed. */
export const listArgs = {
  ...listerArgs,
  recursive: {
    type: "boolean",
    default: true,
    description: "list below prefixes too",
    negativeDescription: "list only the top",
  },
  modtime: {
    type: "string",
    default: "server",
    valueHint: modtimeModes.join("|"),
    description:
      "which time is listed; metadata costs a HEAD for each object; --no-modtime is --modtime none",
  },
  hash: {
    type: "string",
    default: "auto",
    valueHint: hashModes.join("|"),
    description:
      "list MD5 hashes; auto: on S3, where they are free but for objects uploaded in parts (a HEAD each)",
  },
  "run-id": runIdArg,
} as const;

export const compareArg = {
  type: "string",
  default: "size",
  valueHint: compareModes.join("|"),
  description:
    "what tells a changed object: its size; or its MD5 too (free on S3); or, too, a time after the destination's",
} as const;

/** What a run or a verification makes of objects that cannot be transferred. */
export const allowUntransferableArg = {
  type: "boolean",
  description:
    "exit code 0 although some objects cannot be transferred (manifest.untransferable.jsonl names them)",
} as const;

/** What the array asks of Slurm, and how its agents copy. */
export const renderArgs = {
  "array-concurrency": { type: "string", valueHint: "N", description: "array tasks that run at a time" },
  "job-name": { type: "string", default: "xfer", valueHint: "NAME", description: "Slurm's job name" },
  "time-limit": {
    type: "string",
    default: "24:00:00",
    valueHint: "TIME",
    description: "Slurm's time limit of a task",
  },
  partition: { type: "string", default: "transfer", valueHint: "NAME", description: "Slurm's partition" },
  "cpus-per-task": { type: "string", default: "4", valueHint: "N", description: "CPUs of a task" },
  mem: { type: "string", default: "8G", valueHint: "SIZE", description: "memory of a task" },
  "rclone-conf-in-container": {
    type: "string",
    default: "/etc/rclone/rclone.conf",
    valueHint: "FILE",
    description: "where rclone.conf is mounted in the agents' containers",
  },
  "rclone-flags": {
    type: "string",
    default: "--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20",
    valueHint: "FLAGS",
    description:
      "flags for rclone copy in place of the default ones; --retries is the number of passes over what is not proven",
  },
  "add-rclone-flags": {
    type: "string",
    valueHint: "FLAGS",
    description:
      "more flags for rclone copy, after those of --rclone-flags or the default ones; the last one wins",
  },
  metadata: {
    type: "boolean",
    description: "carry metadata between any two places (default: from S3 to S3, where it costs no request)",
    negativeDescription: "carry no metadata but the content type and the modification time",
  },
  "create-bucket": {
    type: "boolean",
    description: "create the destination's bucket when it is not there",
  },
  "max-attempts": {
    type: "string",
    default: "5",
    valueHint: "N",
    description: "attempts at a shard, requeues included",
  },
  "max-restarts": {
    type: "string",
    default: String(maxRestartsDefault),
    valueHint: "N",
    description: "starts ended by the time limit, preemption or a lost node that spend no attempt",
  },
  "stop-lead": {
    type: "string",
    valueHint: "SECONDS",
    description: `how long before the time limit a task stops and requeues itself (default: ${stopLeadSecondsDefault}, or half of a short limit)`,
  },
  "sbatch-extras": {
    type: "string",
    valueHint: "WORDS",
    description: "more options for sbatch: words, or lines with or without #SBATCH (\\n ends a line, too)",
  },
  "agent-path": {
    type: "string",
    valueHint: "FILE",
    description: "an xfer binary that is on the cluster already (default: this one is copied to bin/xfer)",
  },
} as const;

export const strategyArg = {
  type: "string",
  default: "bytes",
  valueHint: shardStrategies.join("|"),
  description: "balance bytes or counts over the shards, or place keys by their hash",
} as const;

/** Flags whose value is made of words for another program, split by a shell's quoting rules. */
export const words = (flag: string) =>
  v.pipe(
    v.optional(v.string(), ""),
    v.transform((text) => splitWords(text, `--${flag}`)),
  );

/** Words for srun or sbatch. */
const slurmWords = (flag: string, read: (text: string) => string[]) =>
  v.pipe(
    v.optional(v.string(), ""),
    v.transform((text) => {
      const list = read(text);
      const problem = slurmWordsProblem(list);
      if (problem) throw invalidInput(`--${flag}: ${problem}`);
      return list;
    }),
  );

/** A text that is invalid input when `problemOf` says what is wrong with it. */
const checked = (flag: string, problemOf: (text: string) => string | undefined) =>
  v.pipe(
    text,
    v.transform((given) => {
      const problem = problemOf(given);
      if (problem) throw invalidInput(`--${flag}: ${problem}`);
      return given;
    }),
  );

/** A whole number of at least `min`, from a flag's text. */
export const whole = (min: number, max = 999_999_999) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, "must be a whole number"),
    v.transform(Number),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  );

/** The names of a million shards have six digits; a larger number is a mistake that would take hours to carry out. */
export const shardsMax = 1_000_000;
/** What `parse` makes of a flag's text; `message` is what it must be, where that is undefined. */
export const parsed = <T>(parse: (text: string) => T | undefined, message: string) =>
  v.pipe(
    v.string(),
    v.check((text) => parse(text) !== undefined, message),
    v.transform((text) => parse(text) as T),
  );

/** A number of shards, or auto. */
export const shardCount = v.union(
  [v.literal("auto"), whole(1, shardsMax)],
  `must be auto or a whole number from 1 to ${shardsMax}`,
);

/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(values: T) =>
  v.picklist(values, `must be one of ${values.join(", ")}`);

const text = v.pipe(v.string(), v.minLength(1, "must not be empty"));
export const optionalText = v.optional(text);
export const requiredText = text;

export const runIdText = v.optional(
  v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/, "must be letters, digits, _ . and -")),
);

export const rcloneSchema = {
  runtime: v.optional(oneOf(runtimeNames)),
  "rclone-image": optionalText,
  // Where rclone runs there is another current directory: a relative path means this one.
  "rclone-config": v.optional(
    v.pipe(
      text,
      v.transform((path) => resolve(path)),
    ),
  ),
  "pyxis-extra": slurmWords("pyxis-extra", srunExtras),
};

export const listerSchema = {
  "image-check": v.boolean(),
  "container-conf-path": text,
  "fast-list": v.boolean(),
  "list-parallel": v.pipe(whole(1), v.maxValue(256, "must be at most 256")),
  "extra-lsjson-flags": words("extra-lsjson-flags"),
  verbose: v.optional(v.boolean(), false),
  "very-verbose": v.optional(v.boolean(), false),
};

export const listSchema = {
  ...listerSchema,
  recursive: v.boolean(),
  modtime: oneOf(modtimeModes),
  hash: oneOf(hashModes),
  "run-id": runIdText,
};

export const renderSchema = {
  "array-concurrency": v.optional(whole(1)),
  "job-name": checked("job-name", jobNameProblem),
  "time-limit": checked("time-limit", timeLimitProblem),
  partition: checked("partition", partitionProblem),
  "cpus-per-task": whole(1),
  mem: checked("mem", memoryProblem),
  "rclone-conf-in-container": text,
  "rclone-flags": words("rclone-flags"),
  "add-rclone-flags": words("add-rclone-flags"),
  metadata: v.optional(v.boolean()),
  "create-bucket": v.optional(v.boolean(), false),
  "max-attempts": whole(1),
  "max-restarts": whole(0),
  "stop-lead": v.optional(whole(1, stopLeadSecondsMax)),
  "sbatch-extras": slurmWords("sbatch-extras", sbatchExtras),
  "agent-path": optionalText,
};

const rcloneObject = v.object(rcloneSchema);

/** The image of --rclone-image; a local file is an absolute path. */
export function imageOf(
  input: Pick<v.InferOutput<typeof rcloneObject>, "rclone-image">,
  runtime: RuntimeName,
): string | undefined {
  const image = input["rclone-image"];
  const problem = image && imageProblem(image);
  if (problem) throw invalidInput(`--rclone-image: ${problem}`);
  return image && absoluteImage(image, runtime, process.cwd());
}

const renderObject = v.object(renderSchema);

/** How many array tasks run at a time unless the user says otherwise. */
export const arrayConcurrencyDefault = 64;

/** The part of RenderOptions that comes from the flags of rcloneArgs and renderArgs. */
export function renderOptionsOf(
  input: v.InferOutput<typeof rcloneObject> & v.InferOutput<typeof renderObject>,
  defaults: { runtime: RuntimeName; arrayConcurrency: number },
): Pick<
  RenderOptions,
  | "rclone"
  | "rcloneFlags"
  | "metadata"
  | "createBucket"
  | "maxAttempts"
  | "maxRestarts"
  | "slurm"
  | "agent"
  | "version"
> {
  const agentPath = input["agent-path"];
  const runtime = input.runtime ?? defaults.runtime;
  const rcloneFlags = [...input["rclone-flags"], ...input["add-rclone-flags"]];
  return {
    rclone: {
      runtime,
      image: imageOf(input, runtime),
      configPath: input["rclone-config"],
      confInContainer: input["rclone-conf-in-container"],
      pyxisExtra: input["pyxis-extra"],
    },
    rcloneFlags,
    metadata: metadataOf(input.metadata, rcloneFlags),
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
    agent: agentPath === undefined ? ownBinary() : { path: agentPath },
    version,
  };
}

function stopLeadOf(input: v.InferOutput<typeof renderObject>): number {
  const own = input["sbatch-extras"].findLast((word) => word.startsWith("--time="));
  const lead = stopLead(input["stop-lead"], own?.slice("--time=".length) ?? input["time-limit"]);
  if ("problem" in lead) throw invalidInput(`--stop-lead: ${lead.problem}`);
  return lead.seconds;
}

/** Throws invalid input when the user's own flags for rclone say the opposite. */
function metadataOf(asked: boolean | undefined, rcloneFlags: readonly string[]): MetadataMode {
  if (asked === undefined) return "auto";
  const said = sortUserFlags(rcloneFlags).given.get("metadata");
  if (said !== undefined && (said === "true") !== asked) {
    throw invalidInput(
      `--${asked ? "" : "no-"}metadata: --rclone-flags say --metadata=${said}: leave one of them out`,
    );
  }
  return asked ? "on" : "off";
}

function ownBinary(): { copyOf: string } {
  if (isCompiled()) return { copyOf: process.execPath };
  throw invalidInput(
    "--agent-path is needed: this xfer is not the compiled binary, so it cannot copy itself",
  );
}

/** Reads a command's arguments by a schema. Throws invalid input naming the first flag that is wrong. */
export function readFlags<S extends v.GenericSchema>(schema: S, args: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, args);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const flag = v.getDotPath(issue) ?? "";
  // A text that is read as something else is no longer what the user gave.
  const given = Object(args)[flag] as unknown;
  if (given === undefined) throw invalidInput(`--${flag} is missing`);
  throw invalidInput(`--${flag}: ${issue.message}, not ${JSON.stringify(given)}`);
}
