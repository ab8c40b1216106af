import * as v from "valibot";
import { readTextIfExists } from "../../system/durable.ts";
import { count } from "../../system/schemas.ts";

const sampleSchema = v.object({
  at: v.string(),
  attempt: count,
  /** How many objects of the shard are proven, and their bytes with those in flight. */
  objects: count,
  bytes: count,
  errors: count,
  /** How many requests of this attempt the store refused by throttling. */
  throttled: count,
  /** rclone's --transfers. */
  transfers: v.nullable(count),
});

/** A line of a shard's .samples: how it stood at a time. */
export type Sample = v.InferOutput<typeof sampleSchema>;

/** The samples in the text of a .samples, oldest first. A torn or foreign line is passed over. */
export function parseSamples(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    try {
      const result = v.safeParse(sampleSchema, JSON.parse(line));
      return result.success ? [result.output] : [];
    } catch {
      return [];
    }
  });
}

/** The samples of a shard; none when it has no .samples. */
export const readSamples = (path: string): Sample[] => parseSamples(readTextIfExists(path) ?? "");
