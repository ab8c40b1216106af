import { afterEach, expect, test } from "bun:test";
import * as stop from "../../agent/stop-meaning.ts";
import { standIns } from "../lib/slurm/stand-ins.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const task = { arrayJobId: "77", taskId: 5 };

afterEach(() => {
  delete process.env.SLURM_RESTART_COUNT;
});

/** What a TERM means where scontrol says this of the task. */
async function meaning(says: string, restartsBefore?: string) {
  using dir = temporaryDirectory("xfer-stop-");
  using slurm = standIns(dir.path, { scontrol: says });
  const found = await stop.meaningOfStop(task, "SIGTERM", { SLURM_RESTART_COUNT: restartsBefore });
  return { found, asked: slurm.calls().length };
}

const job = (restarts: number, preemptTime: string) =>
  `echo 'JobId=82 ArrayJobId=77 Restarts=${restarts} PreemptTime=${preemptTime}'`;

test.each<[string, string, string | undefined, stop.StopMeaning]>([
  ["Slurm starts it again", job(1, "None"), undefined, "requeued"],
  ["Slurm starts it again, after a preemption", job(3, "2026-11-25T08:00:00"), "2", "requeued"],
  ["it was preempted, and is not started again", job(2, "2026-11-25T08:00:00"), "2", "preempted"],
  ["it was cancelled", job(0, "None"), undefined, "cancelled"],
  ["it was cancelled after restarts", job(2, "None"), "2", "cancelled"],
  ["Slurm does not say", "exit 1", undefined, "cancelled"],
])("a TERM means that %s", async (_, says, restartsBefore, means) => {
  const { found } = await meaning(says, restartsBefore);
  expect(found).toBe(means);
});

test("the signal before the time limit needs no question, and without an array task a stop is the end", async () => {
  using dir = temporaryDirectory("xfer-stop-");
  using slurm = standIns(dir.path, { scontrol: job(1, "None") });
  expect(await stop.meaningOfStop(task, "SIGUSR1", {})).toBe("walltime");
  expect(await stop.meaningOfStop(undefined, "SIGUSR1", {})).toBe("walltime");
  expect(await stop.meaningOfStop(task, "paused", {})).toBe("paused");
  for (const reason of ["SIGTERM", "SIGINT", "parent-gone", undefined] as const) {
    expect(await stop.meaningOfStop(undefined, reason, {})).toBe("cancelled");
  }
  expect(slurm.calls()).toEqual([]);
});

test("what each stop counts as", () => {
  expect(stop.causeOf).toEqual({
    walltime: "walltime",
    paused: "pause",
    requeued: "preemption",
    preempted: "preemption",
    cancelled: "other",
  });
});
