import { type FailureClass, failureClasses } from "../rclone/failure-class.ts";
import type { FailureEnd } from "../run/causes.ts";
import type { ShardFailure } from "../run/shard-failures.ts";

/** All that failed with one class at one end; its names are those of the JSON that is printed. */
export interface FailureGroup {
  class: FailureClass;
  /** The place that refused; null where the messages do not say. */
  end: FailureEnd | null;
  num_shards: number;
  /** How many of these shards are not tried again by themselves. */
  num_final: number;
  objects: number;
  bytes: number;
  example: { shard: number; path: string | null; message: string };
}

/** Joins what shards say of their failures. First comes what needs the user first, and of a class the end with most objects. */
export function groupFailures(
  shards: Iterable<{ shard: number; isFinal: boolean; failures: readonly ShardFailure[] }>,
): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const { shard, isFinal, failures } of shards) {
    for (const { class: failure, end, message, path, objects, bytes } of failures) {
      const key = `${failure} ${end}`;
      const example = { shard, path, message };
      const known = groups.get(key) ?? {
        ...{ class: failure, end, num_shards: 0, num_final: 0, objects: 0, bytes: 0, example },
      };
      known.num_shards++;
      if (isFinal) known.num_final++;
      known.objects += objects;
      known.bytes += bytes;
      groups.set(key, known);
    }
  }
  const rank = (group: FailureGroup) => failureClasses.indexOf(group.class);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || b.objects - a.objects);
}
