import type { AutoThrottle, ThrottleTick } from "../../lib/operate/auto-throttle.ts";
import type { CancelledJob } from "../../lib/operate/cancel.ts";
import type { LeaseHolder } from "../../lib/operate/lease.ts";
import type { Paused } from "../../lib/operate/pause.ts";
import type { Resumed } from "../../lib/operate/resume.ts";
import { formatShards } from "../../lib/system/units.ts";
import { visibleText } from "../../lib/system/visible-text.ts";

const tasksOf = (count: number): string => (count === 1 ? "1 task" : `${count} tasks`);

/** How a run was paused, and how it goes on. */
export function pausedText(runDir: string, { jobs, held, running, wasPaused }: Paused): string {
  const what = wasPaused ? "paused already" : "paused";
  const waits = jobs.length > 0 ? `; ${tasksOf(held)} held` : "";
  const stops =
    running > 0 ? `; ${tasksOf(running)} running: each stops at its next heartbeat, its proofs kept` : "";
  return `${runDir}: ${what}${waits}${stops}\ngo on with: xfer resume --run-dir ${runDir}\n`;
}

/** How a run was paused, schema xfer.pause.v1. */
export function pausedJson(runDir: string, { jobs, held, running, wasPaused }: Paused) {
  return {
    ...{ schema: "xfer.pause.v1", run_dir: runDir, was_paused: wasPaused, jobs },
    ...{ tasks_held: held, tasks_running: running },
  } as const;
}

/** How a run was resumed, and what only the user can go on with. */
export function resumedText(runDir: string, resumed: Resumed): string {
  const { wasPaused, released, submitted, failed, elsewhere } = resumed;
  const lines = [
    `${runDir}: ${wasPaused ? "resumed" : "it was not paused"}` +
      (released > 0 ? `; ${tasksOf(released)} released` : ""),
  ];
  if (submitted) {
    lines.push(`job ${submitted.jobId}: submitted again: ${formatShards(submitted.shards.length)}`);
  }
  if (failed > 0)
    lines.push(`${formatShards(failed)} failed for good: try again with: xfer retry --run-dir ${runDir}`);
  if (elsewhere > 0) {
    const which = formatShards(elsewhere);
    lines.push(
      `${which} in no job: go on with the command that began them: xfer run --run-dir ${runDir} ...`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** How a run was resumed, schema xfer.resume.v1. */
export function resumedJson(runDir: string, resumed: Resumed) {
  const { wasPaused, jobs, released, submitted, failed, elsewhere } = resumed;
  return {
    ...{ schema: "xfer.resume.v1", run_dir: runDir, was_paused: wasPaused, jobs, tasks_released: released },
    ...{ job_id: submitted?.jobId ?? null, shards_submitted: submitted?.shards ?? [] },
    ...{ shards_failed: failed, shards_elsewhere: elsewhere },
  } as const;
}

const kindWords = { copy: "copying", verify: "comparing", collect: "adding up" } as const;

/** What was cancelled, a job a line. */
export function cancelledText(runDir: string, jobs: readonly CancelledJob[]): string {
  if (jobs.length === 0) return `${runDir}: no job of this run is in the queue\n`;
  const lines = jobs.map(
    ({ jobId, kind, running, waiting }) =>
      `job ${jobId} (${kindWords[kind]}): cancelled: ${tasksOf(running)} running, ${waiting} waiting`,
  );
  return `${lines.join("\n")}\nwhat is proven stays proven; go on with: xfer resume --run-dir ${runDir}\n`;
}

/** What was cancelled, schema xfer.cancel.v1. */
export function cancelledJson(runDir: string, jobs: readonly CancelledJob[]) {
  const all = jobs.map(({ jobId, kind, running, waiting }) => ({
    ...{ job_id: jobId, kind, tasks_running: running, tasks_waiting: waiting },
  }));
  return { schema: "xfer.cancel.v1", run_dir: runDir, jobs: all } as const;
}

/** Which arrays have a limit. */
export function throttledText(runDir: string, tasks: number, jobs: readonly string[]): string {
  if (jobs.length === 0) return `${runDir}: no array of this run is in the queue\n`;
  return `${jobs.map((job) => `job ${job}: ${tasksOf(tasks)} at a time`).join("\n")}\n`;
}

/** Which arrays have a limit, schema xfer.throttle.v1. */
export function throttledJson(runDir: string, tasks: number, jobs: readonly string[]) {
  return { schema: "xfer.throttle.v1", run_dir: runDir, auto: false, limit: tasks, jobs } as const;
}

/** That a run is throttled by itself from here on. */
export function autoBeginsText({ bounds: { min, max } }: AutoThrottle): string {
  return `throttling by itself, from ${min} to ${max} tasks at a time; when this command is stopped, the limit stays`;
}

/** A look that is told; undefined where there is nothing to tell. */
export function tickText(tick: ThrottleTick): string | undefined {
  if (tick.kind === "failed") return `the limit stays ${tick.limit}: ${tick.problem}`;
  if (tick.kind !== "changed") return undefined;
  return `${tasksOf(tick.limit)} at a time: ${tick.reason} (${tick.running} running, ${tick.waiting} waiting)`;
}

/** How throttling by itself has ended. */
export function autoEndedText(runDir: string, { kind, limit }: ThrottleTick, changes: number): string {
  const why =
    kind === "ended" ? "the run has ended" : kind === "lost" ? "another process throttles it" : "stopped";
  return `${runDir}: ${why}; the limit was changed ${changes} times, and is ${tasksOf(limit)} at a time\n`;
}

/** Who throttles the run already. */
export function heldText(runDir: string, { by, process, taken_at }: LeaseHolder): string {
  return `${runDir}: it is throttled already, by ${visibleText(by)} (pid ${process.pid}) since ${visibleText(taken_at)}\n`;
}

/** How throttling by itself has ended, or who does it already; schema xfer.throttle.v1. */
export function autoJson(
  runDir: string,
  end: { tick: ThrottleTick; changes: number } | { heldBy: LeaseHolder },
) {
  const head = { schema: "xfer.throttle.v1", run_dir: runDir, auto: true } as const;
  if ("heldBy" in end) {
    const { by, host, process, taken_at } = end.heldBy;
    return { ...head, end: "held", held_by: { by, host, pid: process.pid, taken_at } } as const;
  }
  const { tick, changes } = end;
  const how = tick.kind === "ended" || tick.kind === "lost" ? tick.kind : "stopped";
  return { ...head, end: how, limit: tick.limit, changes } as const;
}
