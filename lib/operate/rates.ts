import type { Account, Amount } from "../run/account.ts";
import { type Eta, etaOf } from "./pace.ts";
import { lastSignMs } from "./shard-state.ts";
import type { Standing } from "./standing.ts";

/** What is moved a second: by the shards under way, and on average since the run began. */
export interface Rate {
  bytes_per_second: number;
  objects_per_second: number;
  average_bytes_per_second: number | null;
  average_objects_per_second: number | null;
}

type Progress = Standing["look"]["progress"];
const inFlight = (progress: Progress) => (progress.kind === "value" ? progress.value.bytes_in_flight : 0);
const refusedOf = (progress: Progress) => (progress.kind === "value" ? progress.value.throttled : 0);

/** Bytes of objects that are on their way. */
export const bytesInFlight = (running: readonly Standing[]): number =>
  running.reduce((sum, { look: { progress } }) => sum + inFlight(progress), 0);

/** Requests that stores have refused by throttling, of the last start of each shard. */
export const requestsRefused = (standing: readonly Standing[]): number =>
  standing.reduce((sum, { look: { progress } }) => sum + refusedOf(progress), 0);

/** How many objects a second the start of a shard has proven. */
function objectRate({ look: { progress }, facts: { start } }: Standing): number {
  if (progress.kind !== "value" || start?.attempt !== progress.value.attempt) return 0;
  const seconds = (Date.parse(progress.value.updated_at) - Date.parse(start.started_at)) / 1000;
  return seconds > 0 ? Math.max(0, progress.value.objects_done - start.proven_at_start) / seconds : 0;
}

/** How fast the running shards are, and how fast the run was since it began. */
export function rateOf(
  running: readonly Standing[],
  nowMs: number,
  { account, since, ended }: { account: Account; since: number | undefined; ended: number | undefined },
): Rate {
  const seconds = since === undefined ? 0 : ((ended ?? nowMs) - since) / 1000;
  const average = (amount: number) => (seconds > 0 ? amount / seconds : null);
  return {
    bytes_per_second: running.reduce(
      (sum, { look: { progress } }) =>
        sum + (progress.kind === "value" ? progress.value.bytes_per_second : 0),
      0,
    ),
    objects_per_second: running.reduce((sum, one) => sum + objectRate(one), 0),
    average_bytes_per_second: average(account.copied.bytes),
    average_objects_per_second: average(account.copied.objects),
  };
}

/** What is not proven in shards that failed for good, and so is not waited for. */
function givenUp(standing: readonly Standing[]): Amount {
  const sum = { objects: 0, bytes: 0 };
  for (const {
    state,
    look: { fail },
    entry,
  } of standing) {
    if (state !== "failed" || fail.kind !== "value") continue;
    sum.objects += entry.records - fail.value.proven;
    sum.bytes += entry.bytes - fail.value.proven_bytes;
  }
  return sum;
}

/** The time that the run still takes, by its running shards. */
export function etaOfRun(run: {
  account: Account;
  proven: Amount;
  rate: Rate;
  running: readonly Standing[];
  standing: readonly Standing[];
  nowMs: number;
}): Eta | null {
  const { account, proven, rate, running, nowMs } = run;
  const lost = givenUp(run.standing);
  let longest: { shard: number; seconds: number } | undefined;
  for (const { shard, look } of running) {
    if (look.progress.kind !== "value" || look.progress.value.eta_seconds === null) continue;
    const old = Math.max(0, (nowMs - lastSignMs(look)) / 1000);
    const seconds = Math.max(0, look.progress.value.eta_seconds - old);
    if (longest === undefined || seconds > longest.seconds) longest = { shard, seconds };
  }
  const { listed, untransferable } = account;
  return etaOf({
    bytesLeft: listed.bytes - untransferable.bytes - proven.bytes - lost.bytes - bytesInFlight(running),
    objectsLeft: listed.objects - untransferable.objects - proven.objects - lost.objects,
    bytesPerSecond: rate.bytes_per_second,
    objectsPerSecond: rate.objects_per_second,
    longest,
  });
}
