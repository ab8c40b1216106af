import { mkdirSync } from "node:fs";
import { noteEvent } from "../run/events.ts";
import { pauseOf } from "../run/pause.ts";
import { writeControl } from "../run/state/control.ts";
import { holdJobs } from "../slurm/job-control.ts";
import { type QueuedTasks, readQueue } from "../slurm/squeue.ts";
import { countTasks, isHeld, isWaiting, openRun, operator, queuedJobs } from "./steered-run.ts";

/** How a run was paused. */
export interface Paused {
  jobs: string[];
  /** Tasks that wait until the run is resumed. */
  held: number;
  /** Tasks that run: each sees the pause at its next heartbeat. */
  running: number;
  /** Whether it was paused before. */
  wasPaused: boolean;
  /** What could not be done, a line each: what waits and is not held starts, sees the pause, and holds itself. */
  problems: string[];
}

/** Pauses a run: state/control first, which no task that starts from then on passes by, then a hold of all that waits. */
export async function pauseRun(runDir: string, now: Date): Promise<Paused> {
  const steered = openRun(runDir);
  const { run } = steered;
  const wasPaused = pauseOf(run) !== undefined;
  mkdirSync(run.stateDir, { recursive: true });
  const at = now.toISOString();
  if (!wasPaused)
    writeControl(run.control, { schema: "xfer.control.v1", wanted: "pause", at, by: operator() });
  const all = steered.jobs.map(({ jobId }) => jobId);
  const before = await readQueue(all, { apart: true });
  const jobs = queuedJobs(before ?? []);
  const refused = jobs.length > 0 ? await holdJobs(jobs) : undefined;
  const after = jobs.length > 0 ? await readQueue(all, { apart: true }) : before;
  const result = pausedOf(jobs, after, refused);
  const detail = `${result.held} tasks held, ${result.running} running ones told to stop`;
  noteEvent(run, { action: "paused", jobs, detail, now });
  return { ...result, wasPaused };
}

/** What the queue says after the hold. */
function pausedOf(
  jobs: string[],
  queue: readonly QueuedTasks[] | undefined,
  refused: string | undefined,
): Omit<Paused, "wasPaused"> {
  const seen = queue ?? [];
  const held = seen.filter(isHeld);
  const free = seen.filter((tasks) => isWaiting(tasks) && !isHeld(tasks));
  const themselves = "each starts, sees the pause, and holds itself";
  const problems = [
    ...(queue === undefined ? [`squeue does not answer: nothing is held; what waits is: ${themselves}`] : []),
    // An array that has ended meanwhile refuses, and leaves nothing to hold.
    ...(free.length > 0
      ? [
          `${countTasks(free)} tasks wait and are not held (${refused ?? "no reason is known"}): ${themselves}`,
        ]
      : []),
  ];
  const running = seen.filter(({ state }) => state === "RUNNING" || state === "CONFIGURING");
  return { jobs, held: countTasks(held), running: countTasks(running), problems };
}
