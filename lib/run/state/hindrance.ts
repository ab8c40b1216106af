import type { ShardFiles } from "../account.ts";

/** The reason why shards of a run wait. */
export interface RunHindrance {
  /** The message of most of these shards. */
  message: string;
  /** How many shards have this message. */
  shards: number;
  /** When the first of them began to wait, and when the first tries again, in milliseconds of the clock. */
  sinceMs: number;
  nextPassMs: number | undefined;
}

/** The reason why most of the waiting shards wait; undefined when none waits. */
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
