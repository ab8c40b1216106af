import { failureClasses } from "../rclone/failure-class.ts";
import type { Amount } from "../run/account.ts";
import { isValidDone } from "../run/state/done.ts";
import type { FailState } from "../run/state/fail.ts";
import type { ShardEntry } from "../shard/meta.ts";
import type { MetricFamily } from "./exposition.ts";
import { GrowingTotal } from "./growing-total.ts";
import type { RunFacts, ShardFacts } from "./run-reader.ts";

/** A shard whose agent has not written for so long has no agent: it writes every two seconds. */
const staleMs = 60_000;

const shardStates = ["done", "failed", "retrying", "running", "stale", "stopped", "waiting"] as const;

type ShardState = (typeof shardStates)[number];

/**
 * The state of a shard. The first line that holds counts:
 *
 * | its files | state |
 * |---|---|
 * | a `.done` of its content | done |
 * | a `.fail` of its content that is final | failed: nothing follows by itself |
 * | a `.fail` of its content | retrying: another attempt follows |
 * | the attempt runs, and wrote within a minute | running |
 * | the attempt runs, and wrote last before that | stale: its agent or node is gone |
 * | an attempt that does not run | stopped: it goes on in a later start |
 * | no attempt | waiting |
 */
export function shardStateOf(facts: ShardFacts, entry: ShardEntry, nowMs: number): ShardState {
  if (isValidDone(facts.done, entry)) return "done";
  const fail = failOf(facts, entry);
  if (fail) return fail.final ? "failed" : "retrying";
  if (facts.attempt.kind !== "value") return "waiting";
  if (facts.attempt.value.outcome !== "running") return "stopped";
  return nowMs - heartbeatMs(facts) < staleMs ? "running" : "stale";
}

function failOf({ fail }: ShardFacts, entry: ShardEntry): FailState | undefined {
  if (fail.kind !== "value") return undefined;
  return (fail.value.sha256 ?? entry.sha256) === entry.sha256 ? fail.value : undefined;
}

/** When the agent of a shard wrote last, or started; NaN where neither is known. */
function heartbeatMs({ progress, attempt }: ShardFacts): number {
  const times = [
    progress.kind === "value" ? Date.parse(progress.value.updated_at) : Number.NaN,
    attempt.kind === "value" ? Date.parse(attempt.value.started_at) : Number.NaN,
  ].filter((time) => !Number.isNaN(time));
  return times.length === 0 ? Number.NaN : Math.max(...times);
}

/** The counters of a run, which remember what they have seen. */
class Counters {
  readonly #totals = new Map<string, GrowingTotal>();

  see(name: string, shard: number, epoch: string | number, count: number): void {
    let total = this.#totals.get(name);
    if (!total) {
      total = new GrowingTotal();
      this.#totals.set(name, total);
    }
    total.see(shard, String(epoch), count);
  }

  total = (name: string): number => this.#totals.get(name)?.total ?? 0;
}

/** Where in the counters that is which is in no shard. */
const outside = -1;

/** Makes metrics of a run. Counters grow over all looks of one of these. */
export class RunMetrics {
  readonly #counters = new Counters();

  /** The metrics of a run as it is at this time, with the labels that all of them have. */
  of(facts: RunFacts, nowMs: number): { families: MetricFamily[]; labels: Record<string, string> } {
    const states = facts.shards.map((shard, i) => {
      const entry = facts.meta.shards[i];
      return entry ? shardStateOf(shard, entry, nowMs) : "waiting";
    });
    this.#count(facts);
    const { total } = this.#counters;
    const families = [
      infoOf(facts),
      ...accountFamilies(facts),
      ...progressFamilies(facts, states, nowMs),
      ...countersOf(total),
    ];
    return { families, labels: { run_id: facts.config.run_id } };
  }

  #count({ account, meta, shards }: RunFacts): void {
    const counters = this.#counters;
    shards.forEach(({ progress, attempt }, shard) => {
      if (progress.kind === "value" && progress.value.sha256 === meta.shards[shard]?.sha256) {
        const { attempt: number, throttled, errors } = progress.value;
        counters.see("throttled", shard, number, throttled);
        counters.see("errors", shard, number, errors);
      }
      if (attempt.kind !== "value") return;
      const { attempt: number, submission, ...stops } = attempt.value;
      counters.see("attempts", shard, "", number);
      counters.see("walltime", shard, submission, stops.walltime_stops);
      counters.see("preemption", shard, submission, stops.preemptions);
      counters.see("lost", shard, submission, stops.lost_starts);
      counters.see("other", shard, submission, stops.other_stops);
    });
    for (const name of ["copied", "unchanged"] as const) {
      counters.see(`${name} objects`, outside, "", account[name].objects);
      counters.see(`${name} bytes`, outside, "", account[name].bytes);
    }
  }
}

const one = (
  name: string,
  help: string,
  value: number,
  type: MetricFamily["type"] = "gauge",
): MetricFamily => ({
  ...{ name, help, type },
  samples: [{ value }],
});

/** An amount as two gauges. */
const amounts = (word: string, what: string, { objects, bytes }: Amount): MetricFamily[] => [
  one(`xfer_${word}_objects`, `Objects ${what}.`, objects),
  one(`xfer_${word}_bytes`, `Bytes of the objects ${what}.`, bytes),
];

function infoOf({ config }: RunFacts): MetricFamily {
  const { source_root, dest_root, xfer_version } = config;
  return {
    ...{ name: "xfer_run_info", help: "The run, with its roots as labels; always 1.", type: "gauge" },
    samples: [{ labels: { source_root, dest_root, xfer_version }, value: 1 }],
  };
}

function accountFamilies(facts: RunFacts): MetricFamily[] {
  const { listed, unfinished, untransferable, failed } = facts.account;
  const byClass = failedByClass(facts);
  return [
    ...amounts("listed", "that the source has", listed),
    ...amounts("unfinished", "that are not proven, in shards that have not ended", unfinished),
    ...amounts("untransferable", "that cannot be carried", untransferable),
    {
      ...{ name: "xfer_failed_objects", type: "gauge" },
      help: "Objects that are not proven, in shards that have failed, by failure class.",
      samples: failureClasses.map((name) => ({ labels: { class: name }, value: byClass.get(name) ?? 0 })),
    },
    one(
      "xfer_failed_bytes",
      "Bytes of the objects that are not proven, in shards that have failed.",
      failed.bytes,
    ),
  ];
}

/** The objects of failed shards by class. Those that no .fail names have the class of their shard. */
function failedByClass({ meta, shards }: RunFacts): Map<string, number> {
  const byClass = new Map<string, number>();
  const add = (name: string, objects: number) => byClass.set(name, (byClass.get(name) ?? 0) + objects);
  shards.forEach((facts, i) => {
    const entry = meta.shards[i];
    const fail = entry && !isValidDone(facts.done, entry) ? failOf(facts, entry) : undefined;
    if (!entry || !fail) return;
    const failed = entry.records - fail.proven;
    const named = fail.errors.slice(0, failed);
    for (const error of named) add(error.class, 1);
    add(fail.class, failed - named.length);
  });
  return byClass;
}

function progressFamilies(
  { account, meta, shards }: RunFacts,
  states: readonly ShardState[],
  nowMs: number,
): MetricFamily[] {
  const running = shards.filter((_, i) => states[i] === "running");
  const sum = (pick: (progress: ProgressOf) => number, of: readonly ShardFacts[] = running) =>
    of.reduce((total, { progress }) => total + (progress.kind === "value" ? pick(progress.value) : 0), 0);
  const working = shards.filter((_, i) => states[i] === "running" || states[i] === "stale");
  const inFlight = sum((progress) => progress.bytes_in_flight, working);
  const rate = sum((progress) => progress.bytes_per_second);
  const requests = sum((progress) => progress.throttling?.requests ?? 0);
  const refused = sum((progress) => progress.throttling?.refused ?? 0);
  const proven = account.copied.bytes + account.unchanged.bytes;
  const left = Math.max(0, account.listed.bytes - account.untransferable.bytes - proven - inFlight);
  const ages = working.map((facts) => Math.max(0, nowMs - heartbeatMs(facts)) / 1000);
  const unreadable = shards
    .flatMap((facts) => Object.values(facts))
    .filter(({ kind }) => kind === "unreadable");
  return [
    one("xfer_in_flight_bytes", "Bytes that rclone has moved of objects that are not proven yet.", inFlight),
    one("xfer_rate_bytes_per_second", "What the running shards copy now, in bytes a second.", rate),
    one(
      "xfer_remaining_seconds",
      "Time left at the rate of now; NaN while nothing is copied.",
      account.shards.done === meta.num_shards ? 0 : rate > 0 ? left / rate : Number.NaN,
    ),
    one(
      "xfer_throttling_ratio",
      "Share of the last half minute's requests that the store refused, in shards that it throttles.",
      requests > 0 ? refused / requests : 0,
    ),
    {
      ...{ name: "xfer_shards", help: "Shards by state.", type: "gauge" },
      samples: shardStates.map((state) => ({
        labels: { state },
        value: states.filter((found) => found === state).length,
      })),
    },
    one(
      "xfer_heartbeat_age_seconds",
      "Time since the agent that has been silent the longest wrote; NaN when no shard runs.",
      ages.length === 0 ? Number.NaN : ages.reduce((oldest, age) => Math.max(oldest, age)),
    ),
    one(
      "xfer_last_update_timestamp_seconds",
      "When any shard's state was written last; NaN before.",
      lastUpdate(shards),
    ),
    one("xfer_unreadable_state_files", "State files that are torn or foreign.", unreadable.length),
  ];
}

type ProgressOf = Extract<ShardFacts["progress"], { kind: "value" }>["value"];

/** When any of the shards' files was written last, in seconds. */
function lastUpdate(shards: readonly ShardFacts[]): number {
  let last = Number.NaN;
  const see = (at: string) => {
    const seconds = Date.parse(at) / 1000;
    if (!(seconds <= last) && !Number.isNaN(seconds)) last = seconds;
  };
  for (const { done, fail, progress, attempt } of shards) {
    if (done.kind === "value") see(done.value.finished_at);
    if (fail.kind === "value") see(fail.value.failed_at);
    if (progress.kind === "value") see(progress.value.updated_at);
    if (attempt.kind === "value") see(attempt.value.started_at);
  }
  return last;
}

function countersOf(total: (name: string) => number): MetricFamily[] {
  const counter = (name: string, help: string, of: string) => one(name, help, total(of), "counter");
  return [
    counter("xfer_copied_objects_total", "Objects that rclone copied.", "copied objects"),
    counter("xfer_copied_bytes_total", "Bytes of the objects that rclone copied.", "copied bytes"),
    counter(
      "xfer_unchanged_objects_total",
      "Objects found identical at the destination.",
      "unchanged objects",
    ),
    counter("xfer_unchanged_bytes_total", "Bytes of the objects found identical there.", "unchanged bytes"),
    counter("xfer_attempts_total", "Starts of agents at shards.", "attempts"),
    {
      ...{ name: "xfer_stopped_attempts_total", type: "counter" },
      help: "Starts that were ended from outside, by what ended them.",
      samples: ["walltime", "preemption", "lost", "other"].map((cause) => ({
        labels: { cause },
        value: total(cause),
      })),
    },
    counter("xfer_errors_total", "Errors that rclone told, those that a retry mended included.", "errors"),
    counter("xfer_throttled_requests_total", "Requests that a store refused by throttling.", "throttled"),
  ];
}
