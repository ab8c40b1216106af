import type { RunConfig } from "../lib/run/config.ts";
import type { RunLayout } from "../lib/run/layout.ts";
import type { StopCause } from "../lib/run/state/attempt.ts";
import type { ShardsMeta } from "../lib/shard/meta.ts";
import type { ArrayTask } from "../lib/slurm/array-task.ts";

/** One shard of a run, as an array task gets it. */
export interface ShardTask {
  run: RunLayout;
  config: RunConfig;
  meta: ShardsMeta;
  shard: number;
  /** The submission that started this agent; a new one has a new budget of attempts. */
  submission: string;
  /** The node's name for people: Slurm's, or the host's. */
  node: string;
  /** The array task that this is, under Slurm. */
  arrayTask: ArrayTask | undefined;
  /** This process's environment. */
  env: Readonly<Record<string, string | undefined>>;
  stop: AbortSignal;
  /** Says what a stop meant; under Slurm by asking it. */
  stopCause: () => Promise<StopCause>;
  /** Says how many nodes Slurm may be asked to keep a shard off. */
  avoidableNodes: () => Promise<number>;
}
