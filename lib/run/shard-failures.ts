import type { FailureClass } from "../rclone/failure-class.ts";
import { endOf, type FailureEnd, failuresOf } from "./causes.ts";
import type { FailState } from "./state/fail.ts";

/** The objects of a shard that failed with one class at one end, and what was said of the first. */
export interface ShardFailure {
  class: FailureClass;
  end: FailureEnd | null;
  message: string;
  /** The first object; null where the reason is the whole shard's. */
  path: string | null;
  objects: number;
  bytes: number;
}

/**
 * What a .fail says, a line for each class and end, so that it takes no more memory however many objects it names. Objects
 * that failed and are not named there count for the shard's own class.
 */
export function shardFailures(fail: FailState): ShardFailure[] {
  const groups = new Map<string, ShardFailure>();
  const ends = new Map<string, FailureEnd | null>();
  for (const { class: failure, message, first_path: path, objects, bytes } of failuresOf(fail, fail.shard)) {
    const end = ends.get(message) ?? endOf(message) ?? null;
    ends.set(message, end);
    const known = groups.get(`${failure} ${end}`);
    if (known) {
      known.objects += objects;
      known.bytes += bytes;
    } else groups.set(`${failure} ${end}`, { class: failure, end, message, path, objects, bytes });
  }
  const list = [...groups.values()];
  const named = list.reduce((sum, { objects }) => sum + objects, 0);
  const namedBytes = list.reduce((sum, { bytes }) => sum + bytes, 0);
  const own = list.find((group) => group.class === fail.class) ?? list[0];
  if (own) {
    own.objects += Math.max(0, fail.failed - named);
    own.bytes += Math.max(0, fail.failed_bytes - namedBytes);
  }
  return list;
}
