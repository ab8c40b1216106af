import * as v from "valibot";
import { doctorExecutors } from "../../lib/operate/doctor-target.ts";
import { plainSteps } from "../../lib/operate/next-step.ts";
import type { ShardRow } from "../../lib/operate/shard-rows.ts";
import { shardStates } from "../../lib/operate/shard-state.ts";
import { failureClasses } from "../../lib/rclone/failure-class.ts";
import { runtimeNames } from "../../lib/rclone/runtime.ts";
import { submissionKinds } from "../../lib/run/submissions.ts";
import { count } from "../../lib/system/schemas.ts";
import type { doctorJson } from "../view/doctor.ts";
import type { logJson, objectJson } from "../view/logs.ts";
import type { retryJson } from "../view/retry.ts";
import type { statusJson } from "../view/status.ts";
import type { autoJson, cancelledJson, pausedJson, resumedJson, throttledJson } from "../view/steered.ts";
import { of, output } from "./output.ts";
import { accountEntries, amount, cause, proofJobs } from "./outputs.ts";

/** What commands that look at a run, or steer it, print with --json. */

const text = v.string();
const number = v.number();
const flag = v.boolean();
const texts = v.array(text);
const maybe = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);
const maybeText = maybe(text);
const kind = v.picklist(submissionKinds);
const failureClass = v.picklist(failureClasses);

const job = v.object({
  ...{ job_id: text, kind, submitted_at: maybeText, running: count, pending: count },
  ...{ reason: maybeText, limit: maybe(count) },
});

const shardRow = of<ShardRow>()(
  v.object({
    ...{ shard: count, state: v.picklist(shardStates), node: maybeText, attempt: count },
    ...{ objects_done: count, objects: count, bytes_done: count, bytes: count },
    ...{ bytes_per_second: maybe(number), eta_seconds: maybe(number), errors: count, since: maybeText },
    ...{ class: maybe(failureClass), message: maybeText },
  }),
);

const failure = v.object({
  ...{ class: failureClass, end: maybe(v.picklist(["source", "destination"])) },
  ...{ num_shards: count, num_final: count, objects: count, bytes: count },
  ...{ example: v.object({ shard: count, path: maybeText, message: text }), mend: text },
});

const next = v.union([
  v.object({ kind: v.literal("mend"), classes: v.array(failureClass), others: flag, text }),
  v.object({ kind: v.picklist(plainSteps), text }),
]);

const eta = v.object({
  seconds: number,
  by: v.picklist(["bytes", "objects", "shard"]),
  shard: maybe(count),
});

const stops = { walltime_stops: count, preemptions: count, lost_starts: count, other_stops: count };
const badNode = v.object({ node: text, shards: count });

export const statusOutput = of<Omit<ReturnType<typeof statusJson>, "shard_list">>()(
  output("xfer.status.v1", {
    ...{ at: text, run_dir: text, run_id: maybeText, source_root: maybeText, dest_root: maybeText },
    ...{ since: maybeText, ended_at: maybeText, jobs: v.array(job), slurm: flag },
    paused: maybe(v.object({ at: text, by: text })),
    ...{ listed: amount, proven: amount, copied: amount, unchanged: amount, untransferable: amount },
    bytes_in_flight: count,
    rate: v.object({
      ...{ bytes_per_second: number, objects_per_second: number },
      ...{ average_bytes_per_second: maybe(number), average_objects_per_second: maybe(number) },
    }),
    eta: maybe(eta),
    shards: v.object({
      ...{ total: count, done: count, running: count, waiting: count, requeue: count, stopped: count },
      ...{ failed: count, stale: count },
    }),
    stale: v.array(v.object({ shard: count, node: maybeText, since: text })),
    starts: v.object({ total: count, ...stops, bad_nodes: v.array(badNode) }),
    throttled: count,
    throttling: maybe(v.object({ refused: count, requests: count, transfers: count, wanted: count })),
    hindrance: maybe(v.object({ message: text, shards: count, since: text, next_pass_at: maybeText })),
    ...{ slowest: v.array(shardRow), failures: v.array(failure) },
    warnings: v.object({ total: count, first: texts }),
    ...{ verified: maybe(flag), next, shard_list: v.optional(v.array(shardRow)) },
  }),
);

export const doctorOutput = of<ReturnType<typeof doctorJson>>()(
  output("xfer.doctor.v1", {
    ...{ run_dir: maybeText, executor: v.picklist(doctorExecutors), runtime: v.picklist(runtimeNames) },
    ...{ failures: count, warnings: count },
    checks: v.array(
      v.object({
        ...{ check: text, state: v.picklist(["ok", "warning", "failure", "skipped"]) },
        ...{ text, mend: maybeText },
      }),
    ),
  }),
);

export const retryOutput = of<Omit<ReturnType<typeof retryJson>, keyof typeof proofJobs>>()(
  output("xfer.retry.v1", {
    ...{ run_dir: text, executor: maybe(v.picklist(["slurm", "local"])) },
    ...{ shards: text, num_shards: count, busy_shards: text },
    ...{ job_id: maybeText, tasks: maybeText, stride: maybe(count), ...proofJobs },
    ...{ max_attempts: maybe(count), rclone_flags: maybe(texts) },
    account: maybe(output("xfer.account.v1", accountEntries)),
    causes: maybe(v.array(cause)),
  }),
);

export const logOutput = of<ReturnType<typeof logJson>>()(
  output("xfer.log.v1", {
    ...{ time: maybeText, shard: maybe(count), attempt: maybe(count) },
    ...{ from: v.picklist(["rclone", "xfer", "other"]) },
    level: v.picklist(["error", "warning", "info", "debug"]),
    ...{ object: maybeText, message: text, file: text },
  }),
);

export const objectOutput = of<ReturnType<typeof objectJson>>()(
  output("xfer.object.v1", {
    ...{ run_dir: text, key: text, place: v.picklist(["shard", "untransferable", "unchanged"]) },
    ...{ shard: maybe(count), index: maybe(count), record: v.record(text, v.unknown()) },
    shard_state: maybe(v.picklist(["done", "failed", "unfinished"])),
    proof: maybe(v.picklist(["copied", "unchanged"])),
    fail: maybe(v.object({ class: text, message: text, attempt: count })),
    verified: maybe(v.object({ verdict: text, reason: maybeText, at: maybeText })),
    ...{ lines: v.array(logOutput), more_lines: count },
  }),
);

export const pauseOutput = of<ReturnType<typeof pausedJson>>()(
  output("xfer.pause.v1", {
    ...{ run_dir: text, was_paused: flag, jobs: texts, tasks_held: count, tasks_running: count },
  }),
);

export const resumeOutput = of<ReturnType<typeof resumedJson>>()(
  output("xfer.resume.v1", {
    ...{ run_dir: text, was_paused: flag, jobs: texts, tasks_released: count, job_id: maybeText },
    ...{ shards_submitted: v.array(count), shards_failed: count, shards_elsewhere: count },
  }),
);

export const cancelOutput = of<ReturnType<typeof cancelledJson>>()(
  output("xfer.cancel.v1", {
    run_dir: text,
    jobs: v.array(v.object({ job_id: text, kind, tasks_running: count, tasks_waiting: count })),
  }),
);

type Throttled = ReturnType<typeof throttledJson> | ReturnType<typeof autoJson>;
type NamesOf<T> = T extends unknown ? keyof T : never;
type FieldOf<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never;

/** All fields that any of its forms has. */
const throttleFields = of<{ [K in NamesOf<Throttled>]: FieldOf<Throttled, K> }>()(
  output("xfer.throttle.v1", {
    ...{ run_dir: text, auto: flag, limit: count, jobs: texts },
    ...{ end: v.picklist(["ended", "stopped", "lost", "held"]), changes: count },
    held_by: v.object({ by: text, host: text, pid: count, taken_at: text }),
  }),
);

export const throttleOutput = v.partial(throttleFields, ["limit", "jobs", "end", "changes", "held_by"]);
