import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runAttempt } from "../../agent/attempt.ts";
import type { AttemptParts } from "../../agent/attempt-parts.ts";
import { copySetupOf } from "../../agent/copy-setup.ts";
import type { Look } from "../../agent/destination.ts";
import { Hindrances } from "../../agent/hindrance.ts";
import { Progress } from "../../agent/progress.ts";
import type { RcloneResult } from "../../agent/rclone-run.ts";
import { ShardLog } from "../../agent/shard-log.ts";
import { Throttle } from "../../agent/throttle.ts";
import { findings } from "../../lib/run/state/findings.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { configOf } from "./config-of.ts";
import { ended as rcloneEnded } from "./ended.ts";
import { worklistOf } from "./worklist-of.ts";

const keys = ["a", "b", "c"];
const nothingThere: Look = {
  kind: "seen",
  destination: { found: "nothing", listed: 0, version: [1, 60] },
  findings: undefined,
};

/** One stand-in for rclone: the records that it proves of those it is given, and the messages of those that fail. */
interface Played {
  proves?: string;
  fails?: Record<string, string>;
  code?: number;
  hang?: RcloneResult["hang"];
}

/** An attempt at three objects whose rclones do as they are told; each plays one part of a pass. */
async function attempt(
  dir: string,
  played: readonly Played[],
  more: { looks?: Look[]; flags?: string[]; settle?: string; stopIn?: number } = {},
) {
  const { records, journal, worklist } = await worklistOf(dir, keys);
  const stop = new AbortController();
  const setup = copySetupOf(
    configOf("/none/in", "/none/out", { rclone_flags: ["--retries-sleep", "0s", ...(more.flags ?? [])] }),
    {},
  );
  const log = new ShardLog(join(dir, "log"));
  const given: string[] = [];
  const looks = [...(more.looks ?? [nothingThere])];
  const ended: string[] = [];
  const copyPart: AttemptParts["copy"]["copyPart"] = async (includes, { isPiece }) => {
    const indices = keys.map((_, index) => index).filter(includes);
    if (indices.length === 0) return undefined;
    const play = played[given.length] ?? {};
    given.push(indices.map((index) => keys[index]).join(""));
    if (given.length === more.stopIn) stop.abort("SIGUSR1");
    const proven = indices.filter((index) => play.proves?.includes(keys[index] ?? ""));
    for (const index of proven) worklist.prove(index, "copied");
    const result = rcloneEnded(play.code ?? (play.fails ? 1 : 0), {
      objectErrors: new Map(Object.entries(play.fails ?? {})),
      hang: play.hang,
    });
    return { includes, records: indices.length, isPiece, proved: proven.length > 0, result };
  };
  const parts = {
    ...{ setup, records, journal, worklist, log, stop: stop.signal, taskStop: stop.signal },
    hindrances: new Hindrances({ source: undefined, destination: undefined }, 0),
    progress: new Progress(join(dir, "progress"), {
      ...{ shard: 0, sha256: "", attempt: 1, node: "n", records: 3, bytes: 3 },
    }),
    throttle: new Throttle({ wanted: 8, transfers: 8 }),
    ledger: { noteChild: () => undefined, noteCopying: () => undefined },
    heartbeat: { check: () => undefined, end: () => ended.push("heartbeat") },
    settler: { settle: async () => more.settle, end: () => ended.push("settler") },
    copy: { spoke: true, copyPart },
    examineDestination: async () => looks.shift() ?? nothingThere,
  } as unknown as AttemptParts;
  const result = await runAttempt(parts);
  expect(ended).toEqual(["settler", "heartbeat"]);
  log.close();
  return { result, given, notes: readFileSync(join(dir, "log"), "utf8") };
}

const reset = "connection reset by peer";

test.each<[what: string, played: Played[], given: string[], result: object, flags?: string[]]>([
  ["all is proven in one pass", [{ proves: "abc" }], ["abc"], { kind: "done" }],
  [
    "the next pass has only what is not proven",
    [{ proves: "ac", fails: { b: reset } }, { proves: "b" }],
    ["abc", "b"],
    { kind: "done" },
  ],
  [
    "the passes are spent",
    [
      { proves: "ac", fails: { b: reset } },
      { fails: { b: reset }, code: 3 },
    ],
    ["abc", "b"],
    { kind: "failed", class: "network", final: false, exitCode: 3, transfers: null, neverStarted: false },
    ["--retries", "2"],
  ],
  [
    "what only the user can cure is not tried again",
    [{ proves: "ac", fails: { b: "AccessDenied" } }],
    ["abc"],
    { kind: "failed", class: "auth", final: true, unproven: [{ index: 1, class: "auth" }] },
  ],
  [
    "others are tried again beside it",
    [{ proves: "a", fails: { b: "AccessDenied", c: reset } }, { proves: "c" }],
    ["abc", "c"],
    { kind: "failed", class: "auth", final: true, unproven: [{ index: 1 }] },
  ],
  [
    "what rclone did not name gets a pass of its own, and is missing then",
    [{ proves: "ab" }, {}],
    ["abc", "c"],
    { kind: "failed", class: "missing", final: true },
  ],
  [
    "throttling in a pass lowers --transfers for the next attempt",
    [{ proves: "ab", fails: { c: "SlowDown: Please reduce your request rate" } }],
    ["abc"],
    { kind: "failed", class: "throttled", final: false, transfers: 4 },
    ["--retries", "1"],
  ],
  [
    "a step that is lost ends the attempt, since Slurm may still count it as running",
    [{ proves: "a", code: 137, hang: "silent" }],
    ["abc"],
    { kind: "failed", class: "container", exitCode: 137 },
  ],
])("an attempt: %s", async (_what, played, given, result, flags = []) => {
  using dir = temporaryDirectory();
  const made = await attempt(dir.path, played, { flags });
  expect(made.given).toEqual(given);
  expect(made.result).toMatchObject(result);
});

test("objects that the look found are not copied, and those that may be there come last", async () => {
  using dir = temporaryDirectory();
  const destination = { found: "per-shard", listed: 3, version: null } as const;
  const found = Uint8Array.of(findings.maybeThere, findings.identical, findings.toCopy);
  const looks: Look[] = [{ kind: "seen", destination, findings: found }];
  const { result, given } = await attempt(dir.path, [{ proves: "c" }, { proves: "a" }], { looks });
  expect(given).toEqual(["c", "a"]);
  expect(result).toEqual({ kind: "done" });
});

const refused = { kind: "failed", class: "network", message: "connection refused", final: false } as const;

test("a look that fails is repeated as a pass is", async () => {
  using dir = temporaryDirectory();
  const { result, notes } = await attempt(dir.path, [{ proves: "abc" }], { looks: [refused, nothingThere] });
  expect(result).toEqual({ kind: "done" });
  expect(notes).toContain("looking again in 0s (network)");
});

test("when the last look fails, nothing is copied and every record has its reason", async () => {
  using dir = temporaryDirectory();
  const more = { looks: [refused, refused], flags: ["--retries", "2"] };
  const { result, given } = await attempt(dir.path, [], more);
  expect(given).toEqual([]);
  expect(result).toMatchObject({
    kind: "failed",
    class: "network",
    unproven: [0, 1, 2].map((index) => ({ index, message: "connection refused" })),
  });
});

test("a stop ends the attempt after the pass, whatever that has proven", async () => {
  using dir = temporaryDirectory();
  const { result, given } = await attempt(dir.path, [{ proves: "a", code: 143 }], { stopIn: 1 });
  expect([given, result]).toEqual([["abc"], { kind: "stopped" }]);
});

test("data that does not reach stable storage fails the attempt, whatever rclone said", async () => {
  using dir = temporaryDirectory();
  const settle = "/out: what was copied could not be brought onto stable storage: no space left on device";
  const { result } = await attempt(dir.path, [{ proves: "abc" }], { settle });
  expect(result).toMatchObject({ kind: "failed", class: "destination-full", final: false });
});
