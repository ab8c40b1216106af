import * as v from "valibot";
import { compareModes } from "../../lib/compare/delta-rule.ts";
import { shardStrategies } from "../../lib/shard/meta.ts";
import { flag, wholeNumber } from "./make.ts";

/** Flags that say how a manifest is cut, and which of its objects are copied. */

/** The names of a million shards have six digits; a larger number is a mistake that would take hours to carry out. */
export const shardsMax = 1_000_000;

/** Reads a number of shards, or auto. */
export const shardCount = v.union(
  [v.literal("auto"), wholeNumber(1, shardsMax)],
  `must be auto or a whole number from 1 to ${shardsMax}`,
);

export const strategyFlag = flag.oneOf(shardStrategies, {
  default: "bytes",
  group: "sharding",
  description: "balance bytes or counts over the shards, or place keys by their hash",
});

export const compareFlag = flag.oneOf(compareModes, {
  default: "size",
  group: "what",
  description: "what tells a changed object: size; or MD5 too (free on S3); or a later time, too",
});

/** What a run or a verification makes of objects that cannot be transferred. */
export const allowUntransferableFlag = flag.on({
  group: "what",
  description: "exit code 0 although manifest.untransferable.jsonl names objects",
});
