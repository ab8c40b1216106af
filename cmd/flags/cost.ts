import * as v from "valibot";
import type { ClusterAssumptions } from "../../lib/estimate/cost-model.ts";
import { parseBytes } from "../../lib/system/units.ts";
import * as flags from "./values.ts";

/** Flags of the commands that say what a transfer costs. */

/** A number of bytes with or without a unit, from a flag's text. */
export const byteCount = flags.parsed(parseBytes, "must be a number of bytes such as 1048576, 1MiB or 1.5GB");

/** Where the transfer will run: what the cost model's suggestions rest on. */
export const clusterArgs = {
  "assumed-cpus-per-task": {
    type: "string",
    default: "4",
    valueHint: "N",
    description: "CPUs of an array task",
  },
  "assumed-array-concurrency": {
    type: "string",
    default: "64",
    valueHint: "N",
    description: "array tasks that will run at a time",
  },
  "assumed-core-budget": {
    type: "string",
    valueHint: "N",
    description: "CPUs that the array may take in all (default: no limit)",
  },
  "max-shard-bytes-tb": {
    type: "string",
    default: "10",
    valueHint: "N",
    description: "TiB that a shard should have at most",
  },
} as const;

export const clusterSchema = {
  "assumed-cpus-per-task": flags.whole(1),
  "assumed-array-concurrency": flags.whole(1),
  "assumed-core-budget": v.optional(flags.whole(1)),
  "max-shard-bytes-tb": flags.whole(1),
};

const clusterObject = v.object(clusterSchema);

/** The assumptions that come from the flags of clusterArgs. */
export function clusterOf(input: v.InferOutput<typeof clusterObject>): ClusterAssumptions {
  return {
    cpusPerTask: input["assumed-cpus-per-task"],
    arrayConcurrency: input["assumed-array-concurrency"],
    coreBudget: input["assumed-core-budget"],
    maxShardBytesTb: input["max-shard-bytes-tb"],
  };
}
