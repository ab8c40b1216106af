import type { FailureClass } from "../rclone/failure-class.ts";
import type { ShardsMeta } from "../shard/meta.ts";
import type { ShardFiles } from "./account.ts";
import { isValidDone } from "./state/done.ts";
import type { FailState } from "./state/fail.ts";

/** One reason for which shards have failed; its names are those of the JSON that is printed. */
export interface FailureCause {
  class: FailureClass;
  /** What was said of the first object, or of the first shard where no object is named. */
  message: string;
  num_shards: number;
  first_shard: number;
  /** The objects that are not proven for this reason. */
  objects: number;
  bytes: number;
  /** Whether there may be more of them: a .fail names no more than the first 1,000 objects of its shard. */
  at_least: boolean;
  /** The first object; null where the reason is the whole shard's. */
  first_path: string | null;
}

/** Words of a message that say which of the two places it is about. */
const ofSource = /failed to open source object|GetObject|HeadObject|ListObjects/;
const ofDestination = /PutObject|CopyObject|UploadPart|MultipartUpload|DeleteObject/;

/** The place of a run that a failure is about. */
export type FailureEnd = "source" | "destination";

/** The place that a message is about; undefined when the message does not say. */
export function endOf(message: string): FailureEnd | undefined {
  if (ofSource.test(message)) return "source";
  return ofDestination.test(message) ? "destination" : undefined;
}

/** A part of a shard that has failed, and why. */
export interface Failure extends Omit<FailureCause, "num_shards" | "first_shard"> {
  shard: number;
}

/**
 * What two messages of one reason share: they may name the object that each is about, count something, or show a digest.
 *
 * | message | object | reason |
 * |---|---|---|
 * | `open /src/a/b: permission denied` | `a/b` | `open /src/*: permission denied` |
 * | `corrupted on transfer: sizes differ 10 vs 7` | `a` | `corrupted on transfer: sizes differ # vs #` |
 * | `shard_000003.jsonl: digest 00cc10cc5ab0` | none | `shard_#.jsonl: digest #` |
 */
export function reasonOf(message: string, path: string | null): string {
  // A name of one letter is in every message.
  const nameless = path !== null && path.length > 2 ? message.replaceAll(path, "*") : message;
  return nameless.replace(/\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+/g, "#");
}

/** Joins failures of one reason, those of the most shards and then of the most objects first. */
export function joinFailures(failures: Iterable<Failure>): FailureCause[] {
  const byReason = new Map<string, { cause: FailureCause; lastShard: number }>();
  for (const { shard, ...failure } of failures) {
    const key = `${failure.class} ${reasonOf(failure.message, failure.first_path)}`;
    const known = byReason.get(key);
    if (!known) {
      byReason.set(key, { cause: { ...failure, num_shards: 1, first_shard: shard }, lastShard: shard });
      continue;
    }
    if (known.lastShard !== shard) known.cause.num_shards++;
    known.lastShard = shard;
    known.cause.objects += failure.objects;
    known.cause.bytes += failure.bytes;
    known.cause.at_least ||= failure.at_least;
  }
  return [...byReason.values()]
    .map(({ cause }) => cause)
    .sort((a, b) => b.num_shards - a.num_shards || b.objects - a.objects);
}

/** Why the shards of a run have failed, from their .fail files; one that is of other content than its shard says nothing. */
export function causesOf(
  meta: Pick<ShardsMeta, "shards">,
  files: readonly Pick<ShardFiles, "done" | "fail">[],
): FailureCause[] {
  return joinFailures(
    meta.shards.flatMap((entry, shard) => {
      const { done, fail } = files[shard] ?? {};
      if (fail?.kind !== "value" || (done && isValidDone(done, entry))) return [];
      return (fail.value.sha256 ?? entry.sha256) === entry.sha256 ? failuresOf(fail.value, shard) : [];
    }),
  );
}

/** What a shard's .fail says of each object that it names, or of the shard where it names none. */
export function failuresOf(fail: FailState, shard: number): Failure[] {
  const { failed, failed_bytes } = fail;
  if (fail.errors.length === 0) {
    const whole = { objects: failed, bytes: failed_bytes, at_least: false, first_path: null };
    return [{ shard, class: fail.class, message: fail.message, ...whole }];
  }
  const at_least = fail.errors.length < failed;
  return fail.errors.map(({ path, size, class: failure, message }) => ({
    ...{ shard, class: failure, message, objects: 1, bytes: size, at_least, first_path: path },
  }));
}
