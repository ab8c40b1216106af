import * as v from "valibot";
import { failureClasses } from "../../rclone/failure-class.ts";
import { count } from "../../system/schemas.ts";

const amount = v.object({ objects: count, bytes: count });
const time = v.nullable(v.string());

/** How a shard stands; docs/reference/report.md says what each word means. */
const shardStates = ["done", "failed", "under-way", "stopped", "waiting"] as const;

/** Why an object is not proven. */
const unprovenStates = ["failed", "missing", "differs", "size-only", "untransferable", "unfinished"] as const;

const spanSchema = v.object({
  attempt: count,
  node: v.nullable(v.string()),
  from: v.string(),
  to: v.string(),
  /** How the start ended; null for a start of which only samples are left. */
  outcome: v.nullable(v.picklist(["done", "failed", "stopped", "bad-node", "running"])),
});

const shardSchema = v.object({
  shard: count,
  state: v.picklist(shardStates),
  records: count,
  bytes: count,
  proven: count,
  proven_bytes: count,
  sha256: v.string(),
  /** How many starts there were. */
  starts: count,
  node: v.nullable(v.string()),
  started_at: time,
  ended_at: time,
  class: v.nullable(v.picklist(failureClasses)),
  message: v.nullable(v.string()),
  /** The starts of which the times are known, oldest first. */
  spans: v.array(spanSchema),
});

const pointSchema = v.object({
  at: v.string(),
  bytes_per_second: v.number(),
  objects_per_second: v.number(),
  /** How many shards were under way, on average. */
  shards: v.number(),
  errors: v.number(),
  throttled: v.number(),
});

const entrySchema = v.object({
  at: v.string(),
  what: v.string(),
  shard: v.nullable(count),
  node: v.nullable(v.string()),
  /** user@host. */
  by: v.nullable(v.string()),
  jobs: v.array(v.string()),
  detail: v.string(),
});

const causeSchema = v.object({
  class: v.picklist(failureClasses),
  /** What the messages have in common: * stands for the object's name, # for a number. */
  reason: v.string(),
  num_shards: count,
  objects: count,
  bytes: count,
  /** Whether there may be more objects. */
  at_least: v.boolean(),
});

const verificationSchema = v.object({
  verified: v.boolean(),
  verified_at: v.string(),
  checksum: v.string(),
  hash_proven: count,
  size_only: count,
  missing: count,
  differs: count,
  extra: v.nullable(count),
  sampled: count,
  sampled_differs: count,
  /** Why it does not speak of the run as it is; null where it does. */
  outdated: v.nullable(v.string()),
});

const proofSchema = v.object({
  /** Of the listed objects, those that a verification found with equal size and MD5, and with equal size alone. */
  hash_proven: count,
  size_only: count,
  /** Those that rclone's log alone proves: no verification speaks of them. */
  by_rclone: count,
  /** Those that nothing proves. */
  not_proven: count,
  verification: v.nullable(verificationSchema),
});

const unprovenSchema = v.object({
  state: v.picklist(unprovenStates),
  /** Null where the objects are in no shard, or the shard is not known. */
  shard: v.nullable(count),
  /** Null for objects that cannot be named. */
  path: v.nullable(v.string()),
  size: v.nullable(count),
  /** 1, and more where they cannot be named. */
  objects: count,
  class: v.nullable(v.picklist(failureClasses)),
  reason: v.string(),
});

const versionsSchema = v.object({
  xfer: v.object({ rendered: v.nullable(v.string()), verified: v.nullable(v.string()), report: v.string() }),
  rclone: v.object({
    copied: v.nullable(v.string()),
    verified: v.nullable(v.string()),
    here: v.nullable(v.string()),
  }),
  slurm: v.object({ here: v.nullable(v.string()) }),
});

const digestSchema = v.object({ file: v.string(), sha256: v.nullable(v.string()) });

const headFields = {
  schema: v.literal("xfer.report.v1"),
  made_at: v.string(),
  run_dir: v.string(),
  /** How the run stands in one word: all is proven, something is not, or it has not ended. */
  verdict: v.picklist(["proven", "not-proven", "unfinished"]),
  asked: v.object({
    run_id: v.nullable(v.string()),
    source_root: v.string(),
    dest_root: v.string(),
    /** config.resolved.json as it is; null for a run that is not rendered. */
    config: v.nullable(v.record(v.string(), v.unknown())),
    shards: v.object({ num_shards: count, strategy: v.nullable(v.string()), input: v.nullable(v.string()) }),
  }),
  shards: v.object({ total: count, done: count, failed: count, unfinished: count }),
  listed: amount,
  copied: amount,
  unchanged: amount,
  failed: amount,
  unfinished: amount,
  untransferable: amount,
  proof: proofSchema,
  causes: v.array(causeSchema),
  /** How many reasons are not in `causes`. */
  more_causes: count,
  attempts: v.object({
    starts: count,
    walltime_stops: count,
    preemptions: count,
    lost_starts: count,
    other_stops: count,
    bad_nodes: v.array(v.object({ node: v.string(), shards: count })),
    started_at: time,
    ended_at: time,
  }),
  timeline: v.array(entrySchema),
  /** How many entries are not in `timeline`. */
  more_timeline: count,
  throughput: v.object({
    /** How long a point's time is; null without points. */
    bucket_seconds: v.nullable(v.number()),
    /** How many shards have samples. Of the others the mean between start and end counts. */
    sampled_shards: count,
    points: v.array(pointSchema),
  }),
  versions: versionsSchema,
  digests: v.array(digestSchema),
  warnings: v.array(v.string()),
  shard_list: v.array(shardSchema),
};

const reportHeadSchema = v.object(headFields);

/** A report as JSON, schema xfer.report.v1: all that is known of a run, and each object that is not proven. */
export const reportSchema = v.object({ ...headFields, objects: v.array(unprovenSchema) });

/** A report without the objects that are not proven, which may be too many to hold. */
export type Report = v.InferOutput<typeof reportHeadSchema>;
export type Unproven = v.InferOutput<typeof unprovenSchema>;
export type ReportShard = v.InferOutput<typeof shardSchema>;
export type ReportSpan = v.InferOutput<typeof spanSchema>;
export type TimelineEntry = v.InferOutput<typeof entrySchema>;
export type ThroughputPoint = v.InferOutput<typeof pointSchema>;
export type ReportCause = v.InferOutput<typeof causeSchema>;
export type ReportProof = v.InferOutput<typeof proofSchema>;
export type ReportVersions = v.InferOutput<typeof versionsSchema>;
