import type { ShardFiles } from "../account.ts";

/** What keeps shards of a run from being copied on. */
export interface RunHindrance {
  /** What most of them say. */
  message: string;
  /** How many shards say it. */
  shards: number;
  /** Since when, and when the first of them tries again, in milliseconds of the clock. */
  sinceMs: number;
  nextPassMs: number | undefined;
}

/** What hinders most of the shards that are being copied; undefined when nothing does. */
export function runHindrance(
  files: readonly Pick<ShardFiles, "done" | "fail" | "progress">[],
): RunHindrance | undefined {
  const byMessage = new Map<string, RunHindrance>();
  for (const { done, fail, progress } of files) {
    if (done.kind !== "none" || fail.kind !== "none" || progress.kind !== "value") continue;
    const { hindrance } = progress.value;
    if (!hindrance) continue;
    const sinceMs = Date.parse(hindrance.since);
    const nextPassMs = hindrance.next_pass_at === null ? undefined : Date.parse(hindrance.next_pass_at);
    const known = byMessage.get(hindrance.message);
    byMessage.set(hindrance.message, {
      message: hindrance.message,
      shards: (known?.shards ?? 0) + 1,
      sinceMs: Math.min(known?.sinceMs ?? sinceMs, sinceMs),
      nextPassMs: earlier(known?.nextPassMs, nextPassMs),
    });
  }
  return [...byMessage.values()].sort((a, b) => b.shards - a.shards || a.sinceMs - b.sinceMs)[0];
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
