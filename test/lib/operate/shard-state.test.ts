import { expect, test } from "bun:test";
import { type ShardState, shardStateOf } from "../../../lib/operate/shard-state.ts";
import type { AttemptState } from "../../../lib/run/state/attempt.ts";

type Task = "running" | "pending" | "absent" | "unknown";
type Outcome = AttemptState["outcome"];
type StopCause = AttemptState["stopped_by"];

/** How a shard stands by its start, its .fail and its task. */
function stateOf(
  start: { outcome: Outcome; stopped_by?: StopCause; job?: string } | undefined,
  task: Task,
  more: { fail?: "passing" | "final"; silent?: number; isPacked?: boolean; isDone?: boolean } = {},
): ShardState {
  return shardStateOf({
    isDone: more.isDone ?? false,
    fail: more.fail ?? "none",
    start: start && {
      outcome: start.outcome,
      stopped_by: start.stopped_by ?? null,
      submission: `slurm:${start.job ?? "7"}`,
    },
    silentSeconds: more.silent ?? 3,
    task: { state: task, jobId: task === "absent" ? null : "7", isPacked: more.isPacked ?? false },
  });
}

const tasks: Task[] = ["running", "pending", "absent", "unknown"];

test.each<[string, Parameters<typeof stateOf>[0], Parameters<typeof stateOf>[2], ShardState[]]>([
  ["a .done", { outcome: "done" }, { isDone: true }, ["done", "done", "done", "done"]],
  ["a heartbeat", { outcome: "running" }, {}, ["running", "running", "running", "running"]],
  ["a stale one", { outcome: "running" }, { silent: 121 }, ["stale", "requeue", "stopped", "stale"]],
  ["a final .fail", { outcome: "failed" }, { fail: "final" }, ["failed", "failed", "failed", "failed"]],
  [
    "a final .fail of an earlier job",
    { outcome: "failed", job: "6" },
    { fail: "final" },
    ["requeue", "requeue", "failed", "failed"],
  ],
  ["a failure", { outcome: "failed" }, { fail: "passing" }, ["requeue", "requeue", "stopped", "requeue"]],
  ["a bad node", { outcome: "bad-node" }, { fail: "passing" }, ["requeue", "requeue", "stopped", "requeue"]],
  [
    "the time limit",
    { outcome: "stopped", stopped_by: "walltime" },
    {},
    ["requeue", "requeue", "stopped", "requeue"],
  ],
  [
    "a preemption",
    { outcome: "stopped", stopped_by: "preemption" },
    {},
    ["requeue", "requeue", "stopped", "requeue"],
  ],
  ["scancel", { outcome: "stopped", stopped_by: "other" }, {}, ["requeue", "requeue", "stopped", "stopped"]],
  ["no start", undefined, {}, ["running", "waiting", "stopped", "waiting"]],
  ["no start in a shared task", undefined, { isPacked: true }, ["waiting", "waiting", "stopped", "waiting"]],
  ["a .done that is gone", { outcome: "done" }, {}, ["running", "waiting", "stopped", "waiting"]],
])("a shard with %s: its task runs, waits, is gone, is not known", (_, start, more, states) => {
  expect(tasks.map((task) => stateOf(start, task, more))).toEqual(states);
});
