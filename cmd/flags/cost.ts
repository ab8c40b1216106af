import { type ClusterAssumptions, clusterDefaults } from "../../lib/estimate/cost-model.ts";
import { parseBytes } from "../../lib/system/units.ts";
import type { OptionsOf } from "./flag.ts";
import { flag, noLimit } from "./make.ts";

/** Flags of the commands that say what a transfer costs. */

/** What a number of bytes is read by, and what it must be. */
export const byteCount = [parseBytes, "must be a number of bytes such as 1048576, 1MiB or 1.5GB"] as const;

/** Where the transfer will run: what the cost model's suggestions rest on. */
export const clusterFlags = {
  "assumed-cpus-per-task": flag.whole(1, noLimit, {
    default: clusterDefaults.cpusPerTask,
    group: "slurm",
    description: "CPUs of an array task",
  }),
  "assumed-array-concurrency": flag.whole(1, noLimit, {
    default: clusterDefaults.arrayConcurrency,
    group: "slurm",
    description: "array tasks that will run at a time",
  }),
  "assumed-core-budget": flag.whole(1, noLimit, {
    group: "slurm",
    defaultText: "no limit",
    description: "CPUs that the array may take in all",
  }),
  "max-shard-bytes-tb": flag.whole(1, noLimit, {
    default: clusterDefaults.maxShardBytesTb,
    group: "sharding",
    description: "TiB that a shard should have at most",
  }),
};

/** The assumptions that come from the flags of clusterFlags. */
export function clusterOf(input: OptionsOf<typeof clusterFlags>): ClusterAssumptions {
  return {
    cpusPerTask: input["assumed-cpus-per-task"],
    arrayConcurrency: input["assumed-array-concurrency"],
    coreBudget: input["assumed-core-budget"],
    maxShardBytesTb: input["max-shard-bytes-tb"],
  };
}
