import { expect, test } from "bun:test";
import {
  autoEndedText,
  autoJson,
  cancelledJson,
  cancelledText,
  heldText,
  pausedText,
  resumedJson,
  resumedText,
  throttledText,
  tickText,
} from "../../../cmd/view/steered.ts";
import type { LeaseHolder } from "../../../lib/operate/lease.ts";
import type { Resumed } from "../../../lib/operate/resume.ts";

const paused = { jobs: ["12"], held: 4, running: 1, wasPaused: false, problems: [] };

test.each([
  [paused, "run: paused; 4 tasks held; 1 task running: each stops at its next heartbeat, its proofs kept\n"],
  [{ ...paused, wasPaused: true, running: 0 }, "run: paused already; 4 tasks held\n"],
  [{ ...paused, jobs: [], held: 0, running: 0 }, "run: paused\n"],
])("%p", (result, text) => {
  expect(pausedText("run", result)).toBe(`${text}go on with: xfer resume --run-dir run\n`);
});

const resumed: Resumed = {
  ...{
    wasPaused: true,
    jobs: ["12"],
    released: 4,
    submitted: undefined,
    failed: 0,
    elsewhere: 0,
    problems: [],
  },
};

test.each<[Partial<Resumed>, string]>([
  [{}, "run: resumed; 4 tasks released\n"],
  [{ wasPaused: false, released: 0 }, "run: it was not paused\n"],
  [
    { submitted: { jobId: "13", shards: [3, 5] } },
    "run: resumed; 4 tasks released\njob 13: submitted again: 2 shards\n",
  ],
  [
    { failed: 2 },
    "run: resumed; 4 tasks released\n2 shards failed for good: try again with: xfer retry --run-dir run\n",
  ],
  [
    { released: 0, elsewhere: 1 },
    "run: resumed\n1 shard in no job: go on with the command that began them: xfer run --run-dir run ...\n",
  ],
])("%p", (more, text) => {
  expect(resumedText("run", { ...resumed, ...more })).toBe(text);
});

test("a resume as JSON", () => {
  expect(resumedJson("run", { ...resumed, submitted: { jobId: "13", shards: [3] } })).toEqual({
    ...{ schema: "xfer.resume.v1", run_dir: "run", was_paused: true, jobs: ["12"], tasks_released: 4 },
    ...{ job_id: "13", shards_submitted: [3], shards_failed: 0, shards_elsewhere: 0 },
  });
});

test("what was cancelled", () => {
  const jobs = [
    { jobId: "12", kind: "copy", running: 2, waiting: 30 },
    { jobId: "13", kind: "verify", running: 0, waiting: 32 },
  ] as const;
  expect(cancelledText("run", jobs)).toBe(
    "job 12 (copying): cancelled: 2 tasks running, 30 waiting\n" +
      "job 13 (comparing): cancelled: 0 tasks running, 32 waiting\n" +
      "what is proven stays proven; go on with: xfer resume --run-dir run\n",
  );
  expect(cancelledText("run", [])).toBe("run: no job of this run is in the queue\n");
  expect(cancelledJson("run", jobs.slice(0, 1))).toEqual({
    ...{ schema: "xfer.cancel.v1", run_dir: "run" },
    jobs: [{ job_id: "12", kind: "copy", tasks_running: 2, tasks_waiting: 30 }],
  });
});

test("limits, set by hand and by itself", () => {
  expect(throttledText("run", 1, ["12", "13"])).toBe("job 12: 1 task at a time\njob 13: 1 task at a time\n");
  expect(throttledText("run", 8, [])).toBe("run: no array of this run is in the queue\n");
  const facts = { running: 6, waiting: 20 };
  expect(tickText({ kind: "changed", limit: 4, reason: "because", ...facts })).toBe(
    "4 tasks at a time: because (6 running, 20 waiting)",
  );
  expect(tickText({ kind: "same", limit: 4, reason: undefined, ...facts })).toBeUndefined();
  expect(tickText({ kind: "failed", limit: 4, problem: "no answer" })).toBe("the limit stays 4: no answer");
  const holder: LeaseHolder = {
    ...{ schema: "xfer.lease.v1", token: "t", host: "login", boot: null, pid_namespace: null },
    ...{ process: { pid: 7, start: "1" }, by: "ann@login", taken_at: "2026-11-25T08:00:00Z" },
  };
  expect(heldText("run", holder)).toBe(
    "run: it is throttled already, by ann@login (pid 7) since 2026-11-25T08:00:00Z\n",
  );
  expect(heldText("run", { ...holder, by: "\u001b[2Jann\n" })).toContain(
    String.raw` by \x1b[2Jann\n (pid 7)`,
  );
  expect(autoJson("run", { heldBy: holder })).toMatchObject({
    end: "held",
    held_by: { host: "login", pid: 7 },
  });
  expect(autoEndedText("run", { kind: "ended", limit: 4 }, 3)).toBe(
    "run: the run has ended; the limit was changed 3 times, and is 4 tasks at a time\n",
  );
  expect(
    autoJson("run", { tick: { kind: "same", limit: 4, reason: undefined, ...facts }, changes: 0 }),
  ).toEqual({
    ...{ schema: "xfer.throttle.v1", run_dir: "run", auto: true, end: "stopped", limit: 4, changes: 0 },
  });
});
