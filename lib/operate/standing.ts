import type { ShardLook, StateLook } from "../run/state-reader.ts";
import type { SubmittedJob } from "../run/submissions.ts";
import type { ShardsMeta } from "../shard/meta.ts";
import type { QueuedTasks } from "../slurm/squeue.ts";
import { type ShardFacts, type ShardState, shardFacts, shardStateOf, shardStates } from "./shard-state.ts";
import { tasksOfShards } from "./tasks.ts";

/** What shards are judged by. */
interface Seen {
  meta: Pick<ShardsMeta, "num_shards" | "shards">;
  look: StateLook;
  submissions: readonly SubmittedJob[];
  /** Undefined when Slurm was not asked, or did not answer. */
  queue: readonly QueuedTasks[] | undefined;
  nowMs: number;
}

/** A shard, what was read of it, and how it stands. */
export interface Standing {
  shard: number;
  look: ShardLook;
  entry: ShardsMeta["shards"][number];
  facts: ShardFacts;
  state: ShardState;
}

/** The jobs of a run: those that only an attempt tells of, since a person submitted them, and those that were noted. */
export function jobsOf({ submissions, look }: Pick<Seen, "submissions" | "look">): SubmittedJob[] {
  const known = new Set(submissions.map(({ job_id }) => job_id));
  const others = new Set<string>();
  for (const { attempt } of look.shards) {
    if (attempt.kind !== "value") continue;
    const [, jobId] = /^slurm:(\d+)$/.exec(attempt.value.submission) ?? [];
    if (jobId !== undefined && !known.has(jobId)) others.add(jobId);
  }
  const rest = { num_shards: 0, num_tasks: 0, submitted_at: "" };
  const unnoted = [...others].map(
    (job_id) => ({ schema: "xfer.submission.v1", job_id, kind: "copy", ...rest }) as const,
  );
  return [...unnoted, ...submissions];
}

/** How each shard stands. While agents run outside Slurm, what its queue lacks says nothing. */
export function standingOf(seen: Seen): Standing[] {
  const { meta, look, nowMs } = seen;
  const jobs = jobsOf(seen).filter(({ kind }) => kind === "copy");
  const judge = (queue: Seen["queue"]): Standing[] => {
    const tasks = tasksOfShards(meta.num_shards, jobs, queue);
    return meta.shards.flatMap((entry, shard) => {
      const [one, task] = [look.shards[shard], tasks[shard]];
      if (!one || !task) return [];
      const found = shardFacts(one, entry, { task, nowMs });
      return [{ shard, look: one, entry, facts: found, state: shardStateOf(found) }];
    });
  };
  const standing = judge(seen.queue);
  const isElsewhere = standing.some(
    ({ state, facts: { start } }) => state === "running" && start && !start.submission.startsWith("slurm:"),
  );
  return isElsewhere ? judge(undefined) : standing;
}

/** How many shards stand in each way. */
export function countsOf(standing: readonly Standing[]): Record<ShardState, number> {
  const counts = Object.fromEntries(shardStates.map((state) => [state, 0])) as Record<ShardState, number>;
  for (const { state } of standing) counts[state]++;
  return counts;
}
