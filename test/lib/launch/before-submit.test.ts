import { afterEach, beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBeforeSubmit, settleFailures, warned } from "../../../lib/launch/before-submit.ts";
import { confFinding, confForSubmission, lookAtConf } from "../../../lib/launch/conf-look.ts";
import { needsOfRun, readRoom, roomFindings } from "../../../lib/launch/disk-room.ts";
import { failure } from "../../../lib/launch/finding.ts";
import { operationFailed } from "../../../lib/system/errors.ts";
import { log } from "../../../lib/system/log.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { standIns } from "../slurm/stand-ins.ts";

const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  spyOn(log, "warn").mockImplementation(((text: unknown) => said.push(`warning: ${text}`)) as never);
  spyOn(log, "error").mockImplementation(((text: unknown) => said.push(`error: ${text}`)) as never);
});

afterEach(() => {
  mock.restore();
});

const one = failure("memory", "too much", "ask for less");
const other = failure("disk", "full", "make room");

test.each([
  [[], false, [], undefined],
  [[], true, [], undefined],
  [[one], false, [], "memory: too much: ask for less: nothing was submitted; --force submits all the same"],
  [
    [one, other],
    false,
    ["error: memory: too much: ask for less", "error: disk: full: make room"],
    "2 checks failed: nothing was submitted; --force submits all the same",
  ],
  [[one], true, ["warning: memory: too much: ask for less (submitted all the same: --force)"], undefined],
  [[one], undefined, ["warning: memory: too much: ask for less"], undefined],
])("failures %p with --force %p", (failures, force, lines, thrown) => {
  const settle = () => settleFailures(failures, force);
  if (thrown === undefined) settle();
  else expect(settle).toThrow(expect.objectContaining({ exitCode: 1, message: thrown }));
  expect(said).toEqual(lines);
});

test("a check that throws ends a submission, and with --force is a warning; any other error ends it", async () => {
  const fails = () => {
    throw operationFailed("no image");
  };
  expect(await warned(fails, false).catch((error: unknown) => error)).toMatchObject({ message: "no image" });
  await warned(fails, true);
  await warned(() => "look here", false);
  expect(said).toEqual(["warning: no image (submitted all the same: --force)", "warning: look here"]);
  const broken = warned(() => JSON.parse("{"), true).catch((error: unknown) => error);
  expect(await broken).toBeInstanceOf(SyntaxError);
});

describe("what is found of a run before it is submitted", () => {
  const script = "#SBATCH --partition=p\n#SBATCH --time=60\n#SBATCH --mem=8G\n#SBATCH --cpus-per-task=4\n";
  const find = async (sinfo: string, conf: string | null, dir: string) => {
    using _ = standIns(dir, { sinfo });
    const found = await findBeforeSubmit({ dir, script, config: { rclone_config: conf } });
    return found.map(({ check }) => check);
  };
  const prints = (line: string) => `echo '${line}'`;

  test.each<[string, string, string[]]>([
    ["all is well", prints("p|up|infinite|1|8|64000|(null)|idle|p*"), []],
    ["the partition is not there", prints("q|up|infinite|1|8|64000|(null)|idle|q"), ["partition"]],
    [
      "nothing fits",
      prints("p|down|10:00|1|2|4000|(null)|idle|p"),
      ["partition", "time-limit", "memory", "cpus"],
    ],
    ["sinfo fails", "echo 'cannot reach the controller' >&2; exit 1", []],
    ["sinfo prints something else", prints("no partitions today"), []],
  ])("%s", async (_, sinfo, checks) => {
    using dir = temporaryDirectory();
    expect(await find(sinfo, null, dir.path)).toEqual(checks);
  });

  test("an rclone.conf that is missing on the run's own file system; one that others can read is not refused", async () => {
    using dir = temporaryDirectory();
    const conf = join(dir.path, "rclone.conf");
    const sinfo = prints("p|up|infinite|1|8|64000|(null)|idle|p*");
    expect(await find(sinfo, conf, dir.path)).toEqual(["rclone-conf"]);
    using again = temporaryDirectory();
    writeFileSync(conf, "", { mode: 0o644 });
    expect(await find(sinfo, conf, again.path)).toEqual([]);
  });
});

test.each([
  ["missing", true, true, "failure"],
  ["missing", false, true, "skipped"],
  ["missing", false, false, "failure"],
  ["unreadable", true, true, "failure"],
  [{ mode: "0600" }, true, true, "ok"],
  [{ mode: "0400" }, true, false, "ok"],
  [{ mode: "0640" }, true, true, "failure"],
  [{ mode: "0604" }, false, false, "failure"],
] as const)(
  "an rclone.conf that is %p, shared %p, for another host %p: %s",
  (state, isShared, elsewhere, verdict) => {
    const look = { path: "/c", state, isShared };
    expect(confFinding("rclone-conf", look, elsewhere).state).toBe(verdict);
    const submission = confForSubmission(look).state;
    if (typeof state === "object") expect(submission).toBe(verdict === "ok" ? "ok" : "warning");
  },
);

test("an rclone.conf is looked at on this host, without being read", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "conf");
  expect(lookAtConf(path, dir.path)).toEqual({ path, state: "missing", isShared: true });
  writeFileSync(path, "");
  chmodSync(path, 0o640);
  expect(lookAtConf(path, "/proc")).toEqual({ path, state: { mode: "0640" }, isShared: false });
  expect(lookAtConf(path, undefined).isShared).toBe(false);
});

describe("the room of a file system", () => {
  const needs = { bytes: 1000, inodes: 100 };
  test.each([
    [{ bytes: 999, inodes: 1000 }, ["failure", "ok"]],
    [{ bytes: 1999, inodes: 99 }, ["warning", "failure"]],
    [{ bytes: 2000, inodes: 199 }, ["ok", "warning"]],
    [{ bytes: 2000, inodes: undefined }, ["ok", "ok"]],
    [undefined, ["skipped"]],
  ])("%p: %p", (room, states) => {
    expect(roomFindings("/r", room, needs).map(({ state }) => state as string)).toEqual(states);
  });

  test("is asked of the folder, or of the one in which it would be made", async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "a"));
    const [there, later] = [await readRoom(join(dir.path, "a")), await readRoom(join(dir.path, "b", "c"))];
    expect(there?.bytes).toBeGreaterThan(0);
    expect(later?.bytes).toBeGreaterThan(0);
    expect(needsOfRun(5000, 10_000_000)).toEqual({
      bytes: 16 * 2 ** 20 + 5000 * 2 ** 17 + 7_500_000_000,
      inodes: 60_064,
    });
  });
});
