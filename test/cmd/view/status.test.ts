import { expect, test } from "bun:test";
import { layOut, type Room } from "../../../cmd/view/lines.ts";
import { shardsScreen, shardsTsv } from "../../../cmd/view/shard-list.ts";
import { endText, statusJson, statusLine, statusLines } from "../../../cmd/view/status.ts";
import { groupMend } from "../../../cmd/view/status-failures.ts";
import type { FailureGroup } from "../../../lib/operate/failure-groups.ts";
import type { ShardRow } from "../../../lib/operate/shard-rows.ts";
import type { RunStatus } from "../../../lib/operate/status.ts";
import { failureClasses } from "../../../lib/rclone/failure-class.ts";
import { hostileKey } from "../../stage/synthetic-run.ts";

const group = (more: Partial<FailureGroup> = {}): FailureGroup => ({
  ...{ class: "auth", end: "destination", num_shards: 2, num_final: 2, objects: 4, bytes: 40 },
  example: { shard: 3, path: hostileKey, message: `PutObject: AccessDenied ${"文".repeat(90)}` },
  ...more,
});

const row = (shard: number, more: Partial<ShardRow> = {}): ShardRow => ({
  ...{ shard, state: "running", node: `节点${shard}`, attempt: 2, objects_done: 5, objects: 10 },
  ...{ bytes_done: 500, bytes: 1_000, bytes_per_second: 10, eta_seconds: 50, errors: 0 },
  ...{ since: "2026-11-25T08:00:00.000Z", class: null, message: null, ...more },
});

const status: RunStatus = {
  ...{
    schema: "xfer.status.v1",
    at: "2026-11-25T09:00:00.000Z",
    run_dir: "a run",
    run_id: "20261125T070000Z_a1b2c3",
  },
  ...{ source_root: "src:data", dest_root: "dst:copy", since: "2026-11-25T08:00:00.000Z", ended_at: null },
  jobs: [
    {
      ...{ job_id: "12", kind: "copy", submitted_at: "", running: 1, pending: 1_500 },
      ...{ reason: "Resources", limit: 64 },
    },
    {
      job_id: "13",
      kind: "verify",
      submitted_at: "",
      running: 0,
      pending: 1,
      reason: "Dependency",
      limit: null,
    },
    { job_id: "9", kind: "copy", submitted_at: "", running: 0, pending: 0, reason: null, limit: null },
  ],
  ...{ slurm: true, paused: null, listed: { objects: 2_000, bytes: 2 ** 41 } },
  ...{ proven: { objects: 500, bytes: 2 ** 39 }, copied: { objects: 400, bytes: 2 ** 38 } },
  ...{ unchanged: { objects: 100, bytes: 2 ** 38 }, untransferable: { objects: 1, bytes: 5 } },
  bytes_in_flight: 2 ** 30,
  rate: {
    ...{ bytes_per_second: 2 ** 30, objects_per_second: 2.5 },
    ...{ average_bytes_per_second: 2 ** 29, average_objects_per_second: 120 },
  },
  eta: { seconds: 7_200, by: "shard", shard: 17 },
  shards: { total: 20, done: 5, running: 5, waiting: 2, requeue: 1, stopped: 1, failed: 2, stale: 4 },
  stale: [1, 2, 3, 4].map((shard) => ({ shard, node: "n1", since: "2026-11-25T08:50:00.000Z" })),
  starts: {
    ...{ total: 30, walltime_stops: 2, preemptions: 0, lost_starts: 1, other_stops: 0 },
    bad_nodes: [{ node: "n7", shards: 3 }],
  },
  throttled: 1_234,
  throttling: { refused: 10, requests: 100, transfers: 3, wanted: 8 },
  hindrance: {
    ...{ message: "the destination refuses connections", shards: 3, since: "2026-11-25T08:58:00.000Z" },
    next_pass_at: "2026-11-25T09:00:10.000Z",
  },
  slowest: [1, 2, 3, 4, 5].map((shard) => row(shard)),
  failures: [group(), group({ class: "missing", end: null })],
  warnings: { total: 9, first: ["state/shard_1.done: is empty", "two", "three", "four"] },
  verified: null,
  next: { kind: "mend", classes: ["auth", "missing"], others: true },
};

const room = (columns: number, rows: number, isColored = false): Room => ({ columns, rows, isColored });
const endless = Number.POSITIVE_INFINITY;

test("a run on one screen", () => {
  const lines = statusLines(
    { ...status, failures: [group({ example: { shard: 3, path: "k", message: "no" } })] },
    room(endless, endless),
  );
  expect(lines).toEqual([
    "copying   src:data -> dst:copy",
    "run       20261125T070000Z_a1b2c3 in a run, since 2026-11-25 08:00 UTC (1h00m)",
    "jobs      12: 1 task runs, 1,500 wait (Resources), 64 at a time; 13 (verify): 1 waits (Dependency); job 9 ended",
    "progress  [#####---------------] 25%  500 of 2,000 objects, 513.0 GiB of 2.0 TiB",
    "rate      1.0 GiB/s and 2.5 objects/s now; 512.0 MiB/s and 120 objects/s on average",
    "ETA       2h00m, 2026-11-25 11:00 UTC (shard 17 takes longest)",
    "shards    20: 5 done, 5 running, 2 waiting, 1 to be requeued, 1 stopped, 2 failed, 4 stale",
    "stale     shard 1 on n1 for 10m00s, shard 2 on n1 for 10m00s, shard 3 on n1 for 10m00s, shard 4 on n1 for 10m00s",
    "starts    30: 2 ended by the time limit, 1 lost; no container came up on n7 (3 shards)",
    "throttled 10% of requests refused, transfers 3 of 8; 1,234 refused in all",
    "waits     3 shards: the destination refuses connections, since 2m00s; next pass in 10s",
    "failed    auth at the destination dst:copy: 4 objects in 2 shards: no (k, shard 3)",
    "          mend: see that the credentials in rclone.conf are valid and may read the source and write to the destination, then xfer retry --run-dir 'a run' --class auth",
    "slowest   shard  node   done  rate    ETA  start",
    ...[1, 2, 3, 4, 5].map((shard) => `          ${shard}      节点${shard}  50%   10 B/s  50s  2`),
    "left out  1 object: a run/manifest.untransferable.jsonl",
    "warning   state/shard_1.done: is empty",
    "warning   two",
    "warning   three",
    "          and 6 more warnings",
    "next      mend what failed (auth, missing), then xfer retry --run-dir 'a run' --class auth; the others go on",
  ]);
});

test.each([20, 40, 79, 199])(
  "%d columns: no line is wider, none moves the cursor, the next step is whole",
  (columns) => {
    for (const rows of [endless, 24, 10, 2]) {
      for (const isColored of [false, true]) {
        const lines = statusLines(status, room(columns, rows, isColored));
        const screen = shardsScreen(
          status,
          [...status.slowest, row(9, { message: hostileKey })],
          room(columns, rows, isColored),
        );
        expect(lines.length).toBeLessThanOrEqual(rows);
        expect(screen.length).toBeLessThanOrEqual(rows);
        for (const line of [...lines, ...screen]) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
        const plain = lines.join("").replace(/\x1b\[[\d;]*m/g, "");
        expect(plain).not.toMatch(/[\x00-\x1f\x7f]/);
        expect(lines.join("").includes("\x1b[")).toBe(isColored);
        if (rows >= 24 && columns >= 40)
          expect(plain.replace(/\s+/g, "")).toContain("xferretry--run-dir'arun'--classauth");
      }
    }
  },
);

test("a low screen leaves out the lightest lines, the last of them first", () => {
  const line = (text: string, weight: number) => ({ label: "", text, weight });
  const lines = [line("a", 5), line("b", 1), line("c", 1), line("d", 9)];
  expect(layOut(lines, room(30, 3)).map((text) => text.trim())).toEqual(["a", "b", "d"]);
  expect(layOut(lines, room(30, 1)).map((text) => text.trim())).toEqual(["d"]);
});

test("shards for scripts: a line a shard whatever a message holds, empty where nothing is known", () => {
  const tsv = shardsTsv([
    row(1, { message: "a\tb\nc" }),
    row(2, { node: null, eta_seconds: null, bytes_per_second: null }),
  ]);
  const [names, first, second, end] = tsv.split("\n").map((line) => line.split("\t"));
  expect(names?.slice(0, 4)).toEqual(["shard", "state", "node", "attempt"]);
  expect(first?.length).toBe(names?.length);
  expect(first?.at(-1)).toBe("a b c");
  expect([second?.[2], second?.[8], second?.[9]]).toEqual(["", "", ""]);
  expect(end).toEqual([""]);
});

test("each class has a mend, and a command where trying again is of use", () => {
  const mends = failureClasses.map((name) => groupMend(group({ class: name }), "r"));
  expect(mends.filter((mend) => mend.includes("xfer retry --run-dir r --class")).length).toBe(
    failureClasses.length - 2,
  );
  expect(groupMend(group({ class: "missing" }), "r")).toContain("a new run directory lists it anew");
  expect(groupMend(group({ class: "network", num_final: 0 }), "r")).toEndWith(
    "; it is tried again by itself",
  );
});

test("one line, and one at the end", () => {
  expect(statusLine(status)).toBe(
    "2026-11-25T09:00:00.000Z 25%  500/2,000 objects  1.0 GiB/s  ETA 2h00m  shards 20: 5 done, 5 running, 2 waiting, " +
      "1 to be requeued, 1 stopped, 2 failed, 4 stale",
  );
  expect(endText({ ...status, next: { kind: "verify" } }).split("\n")[1]).toBe(
    "every object is proven; compare the destination: xfer verify --run-dir 'a run'",
  );
});

test("JSON has the mends and the next step in words, and the shards where they are asked for", () => {
  const json = statusJson(status, [row(1)]);
  expect(json.failures[0]?.mend).toContain("xfer retry");
  expect(json.next).toMatchObject({ kind: "mend", text: expect.stringContaining("xfer retry") });
  expect(json.shard_list).toHaveLength(1);
  expect("shard_list" in statusJson(status)).toBeFalse();
});

const kinds: RunStatus["next"][] = [
  ...(
    [
      "resume",
      "submit",
      "start-again",
      "release",
      "look-at-nodes",
      "look-at-store",
      "untransferable",
    ] as const
  ).map((kind) => ({ kind })),
  ...(["verify", "differs", "wait", "wait-for-verification", "nothing"] as const).map((kind) => ({ kind })),
  { kind: "mend", classes: ["missing"], others: false },
];

test.each(kinds)("the next step %p is a sentence", (next) => {
  const [, text = ""] = endText({ ...status, next, paused: { at: "t", by: "u@h" } }).split("\n");
  expect(text).not.toMatch(/undefined|null/);
  expect(text.length).toBeGreaterThan(20);
  const isForUser = /xfer |scontrol |look at|list the source|names each/.test(text);
  expect(isForUser).toBe(!["wait", "wait-for-verification", "nothing"].includes(next.kind));
});

test("what throttles a run meanwhile is on its screen, and on that of its shards, where there is little room too", () => {
  const room: Room = { columns: 60, rows: 12, isColored: false };
  const throttle = { label: "throttle", text: "by itself, 2 to 8 tasks at a time", weight: 8 };
  const line = "throttle  by itself, 2 to 8 tasks at a time";
  expect(statusLines(status, room, throttle)).toContain(line);
  expect(statusLines(status, room)).not.toContain(line);
  expect(shardsScreen(status, [row(1)], room, throttle)).toContain(line);
});
