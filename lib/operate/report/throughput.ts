import type { ThroughputPoint } from "./schema.ts";

/** How a shard stood at a time, in milliseconds of the clock. Errors and throttled requests are counted by attempt. */
export interface Standing {
  atMs: number;
  attempt: number;
  objects: number;
  bytes: number;
  errors: number;
  throttled: number;
}

/** The sums of one stretch of time. */
interface Bucket {
  bytes: number;
  objects: number;
  /** Milliseconds in which a shard was under way, over all shards. */
  activeMs: number;
  errors: number;
  throttled: number;
}

const firstWidthMs = 1_000;
const bucketsMax = 720;

/**
 * Throughput over time, from the standings of many shards one after the other, in bounded memory: when the time is longer
 * than `bucketsMax` buckets, buckets are joined by twos.
 *
 * | between two standings of a shard | counts as |
 * |---|---|
 * | objects and bytes beyond the most that the shard had before | moved, evenly over the time between |
 * | fewer (an attempt begins again with what is in flight) | nothing moved |
 * | errors and throttled requests more than before in the same attempt | at the second standing |
 * | another attempt | no activity between; its errors count from 0 |
 */
export class Throughput {
  #widthMs = firstWidthMs;
  #buckets = new Map<number, Bucket>();

  /** Adds a shard; its standings are in the order of time. */
  addShard(standings: readonly Standing[]): void {
    let most = { objects: 0, bytes: 0 };
    let before: Standing | undefined;
    for (const now of standings) {
      if (before === undefined || !(now.atMs >= before.atMs)) {
        most = { objects: Math.max(most.objects, now.objects), bytes: Math.max(most.bytes, now.bytes) };
        if (before === undefined || Number.isFinite(now.atMs)) before = now;
        continue;
      }
      const moved = {
        objects: Math.max(0, now.objects - most.objects),
        bytes: Math.max(0, now.bytes - most.bytes),
      };
      const same = now.attempt === before.attempt;
      this.#spread(before.atMs, now.atMs, { ...moved, isActive: same });
      const bucket = this.#bucketAt(now.atMs);
      bucket.errors += Math.max(0, now.errors - (same ? before.errors : 0));
      bucket.throttled += Math.max(0, now.throttled - (same ? before.throttled : 0));
      most = { objects: most.objects + moved.objects, bytes: most.bytes + moved.bytes };
      before = now;
    }
  }

  /** The points, oldest first, without a gap, and how long each is in seconds; null without points. */
  points(most = bucketsMax): { seconds: number | null; points: ThroughputPoint[] } {
    while (this.#range().length > most) this.#join();
    const { first, length } = this.#range();
    const seconds = this.#widthMs / 1_000;
    const points = Array.from({ length }, (_, i) => {
      const bucket = this.#buckets.get(first + i) ?? emptyBucket();
      return {
        at: new Date((first + i) * this.#widthMs).toISOString(),
        bytes_per_second: rounded(bucket.bytes / seconds),
        objects_per_second: rounded(bucket.objects / seconds),
        shards: rounded(bucket.activeMs / this.#widthMs),
        errors: bucket.errors,
        throttled: bucket.throttled,
      };
    });
    return { seconds: length === 0 ? null : seconds, points };
  }

  #spread(fromMs: number, toMs: number, moved: { objects: number; bytes: number; isActive: boolean }): void {
    // What is far apart makes the buckets wide before it is spread over them.
    this.#bucketAt(fromMs);
    this.#bucketAt(toMs);
    const length = toMs - fromMs;
    if (length === 0) {
      const bucket = this.#bucketAt(toMs);
      bucket.bytes += moved.bytes;
      bucket.objects += moved.objects;
      return;
    }
    for (let at = fromMs; at < toMs; ) {
      const end = Math.min(toMs, (Math.floor(at / this.#widthMs) + 1) * this.#widthMs);
      const bucket = this.#bucketAt(at);
      bucket.bytes += (moved.bytes * (end - at)) / length;
      bucket.objects += (moved.objects * (end - at)) / length;
      if (moved.isActive) bucket.activeMs += end - at;
      at = end;
    }
  }

  #bucketAt(atMs: number): Bucket {
    for (;;) {
      const index = Math.floor(atMs / this.#widthMs);
      const found = this.#buckets.get(index);
      if (found) return found;
      const made = emptyBucket();
      this.#buckets.set(index, made);
      if (this.#range().length <= bucketsMax) return made;
      this.#join();
    }
  }

  #range(): { first: number; length: number } {
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const index of this.#buckets.keys()) {
      first = Math.min(first, index);
      last = Math.max(last, index);
    }
    return this.#buckets.size === 0 ? { first: 0, length: 0 } : { first, length: last - first + 1 };
  }

  /** Makes buckets twice as wide. */
  #join(): void {
    const joined = new Map<number, Bucket>();
    for (const [index, bucket] of this.#buckets) {
      const into = joined.get(Math.floor(index / 2));
      if (!into) {
        joined.set(Math.floor(index / 2), bucket);
        continue;
      }
      for (const name of ["bytes", "objects", "activeMs", "errors", "throttled"] as const) {
        into[name] += bucket[name];
      }
    }
    this.#buckets = joined;
    this.#widthMs *= 2;
  }
}

const emptyBucket = (): Bucket => ({ bytes: 0, objects: 0, activeMs: 0, errors: 0, throttled: 0 });

/** Three digits behind the point: no sum of parts is told more exactly than it is. */
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
