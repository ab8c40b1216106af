import { expect, test } from "bun:test";
import type { Worklist } from "../../agent/worklist.ts";
import type { FailureClass } from "../../lib/rclone/failure-class.ts";
import { operationFailed } from "../../lib/system/errors.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { worklistOf } from "./worklist-of.ts";

type Run = Parameters<Worklist["explain"]>[0][number];
type Left = Parameters<Worklist["leaveOut"]>[0];

const keys = ["a", "b", "dir/c", "\u{1f600}", 'q"\\'];

const denied = "Forbidden: Forbidden\n\tstatus code: 403";
const reset = "read tcp 10.0.0.1:1->10.0.0.2:2: connection reset by peer";
const noSuchKey =
  "Failed to copy: failed to open source object: NoSuchKey: The specified key does not exist.";

/** A run of rclone that was given these records, and said this of some. */
function run(given: readonly number[], said: Record<string, string> = {}, more: object = {}): Run {
  const { code = 1, proved = true, ...rest } = more as { code?: number; proved?: boolean };
  return {
    includes: (index: number) => given.includes(index),
    records: given.length,
    isPiece: false,
    proved,
    result: {
      exit: { code, signal: null },
      objectErrors: new Map(Object.entries(said)),
      spoke: true,
      hang: undefined,
      error: undefined,
    },
    ...rest,
  };
}

/** A record that was left out for a failure of this class, which is its own or its pass's. */
const left = (index: number, failure: FailureClass, own = true): Left => ({
  index,
  class: failure,
  message: `of ${index}`,
  own,
});

const toDo = (worklist: Worklist) => keys.map((_, index) => index).filter((index) => worklist.isToDo(index));

test("what is not proven is to do", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  expect(toDo(worklist)).toEqual([0, 1, 2, 3, 4]);
  journal.add(1, "copied");
  journal.add(3, "unchanged");
  expect(toDo(worklist)).toEqual([0, 2, 4]);
});

test("what is left out of a pass is to do in the next; what only the user cures is not", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  worklist.leaveOut(left(0, "network"));
  worklist.leaveOut(left(1, "missing"));
  // The message is about the whole pass: it settles nothing.
  worklist.leaveOut(left(2, "auth", false));
  expect(toDo(worklist)).toEqual([3, 4]);
  worklist.startPass();
  expect(toDo(worklist)).toEqual([0, 2, 3, 4]);
});

test("the two groups of a pass share its records: those that may be there, and the others", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  const groups = () => [true, false].map((there) => keys.map((_, i) => i).filter(worklist.ofGroup(there)));
  expect(groups()).toEqual([[], [0, 1, 2, 3, 4]]);
  worklist.mayBeThere = Uint8Array.of(1, 0, 1, 1, 0);
  journal.add(2, "copied");
  worklist.leaveOut(left(4, "missing"));
  expect(groups()).toEqual([[0, 3], [1]]);
});

test("records without a word of rclone's are counted: of those that were given and are still to do", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  journal.add(0, "copied");
  const said = new Map([
    ["b", denied],
    ["dir/c.0123abcd.partial", reset],
    ["elsewhere", reset],
  ]);
  expect(await worklist.countUnnamed(run([0, 1, 2, 3]), said)).toBe(1);
  expect(await worklist.countUnnamed(run([0, 1, 2, 3, 4]), new Map())).toBe(4);
  expect(await worklist.countUnnamed(run([]), said)).toBe(0);
});

test("the one record that stopped a run is left out, of this pass or for good", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  await worklist.leaveOutAlone(run([1], { b: reset }, { isPiece: true, proved: false }));
  await worklist.leaveOutAlone(run([4], { 'q"\\': noSuchKey }, { isPiece: true, proved: false }));
  expect(toDo(worklist)).toEqual([0, 2, 3]);
  worklist.startPass();
  expect(toDo(worklist)).toEqual([0, 1, 2, 3]);
});

/** What is not proven, by record: its class, and whether its message is about it. */
async function explained(worklist: Worklist, runs: readonly Run[]) {
  const { records, ...rest } = await worklist.explain(runs);
  const classes = Object.fromEntries(records.map(({ index, class: failure }) => [keys[index], failure]));
  expect(Object.keys(classes)).toHaveLength(records.length);
  return { classes, ...rest };
}

test("each record is explained by the last run that had it; the class of the shard is the worst of what may pass", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  journal.add(0, "copied");
  const runs = [
    run([0, 1, 2], { b: denied, "dir/c": reset }),
    run([1], { b: reset }),
    run([3, 4], { "\u{1f600}": noSuchKey, 'q"\\': noSuchKey }),
  ];
  expect(await explained(worklist, runs)).toEqual({
    classes: { b: "network", "dir/c": "network", "\u{1f600}": "missing", 'q"\\': "missing" },
    settled: 2,
    unmentioned: 0,
    failure: "network",
    final: false,
  });
  // Settled is settled: no later pass has them.
  expect(toDo(worklist)).toEqual([1, 2]);
});

test("where only settled records are left, they decide", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  for (const index of [0, 1, 2]) journal.add(index, "copied");
  const last = run([3, 4], { "\u{1f600}": noSuchKey, 'q"\\': denied });
  expect(await explained(worklist, [last])).toMatchObject({ settled: 2, failure: "auth", final: true });
});

test("a record that no run was given is explained by the last; without any there is no word of it", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  for (const index of [0, 1, 2]) journal.add(index, "copied");
  expect((await explained(worklist, [run([0]), run([3], {}, { code: 0 })])).classes).toEqual({
    "\u{1f600}": "unknown",
    'q"\\': "unknown",
  });
  expect((await explained(worklist, [])).classes).toEqual({});
});

test("what rclone passed over in silence is counted", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  const found = await explained(worklist, [run([0, 1, 2, 3, 4], {}, { code: 0 })]);
  expect(found).toMatchObject({ settled: 0, unmentioned: 5, failure: "unknown" });
});

test("an rclone that could not be started explains all that are left", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  journal.add(0, "copied");
  const result = operationFailed("rclone was not found on PATH (looked in /bin): install it here");
  const found = await explained(worklist, [run([0, 1, 2, 3, 4], {}, { result, proved: false })]);
  expect(Object.values(found.classes)).toEqual(["config", "config", "config", "config"]);
  expect(found).toMatchObject({ settled: 0, failure: "config", final: true });
});

test("nothing is explained of a shard that is proven, and a record that was left out has its own reason", async () => {
  using dir = temporaryDirectory();
  const { journal, worklist } = await worklistOf(dir.path, keys);
  for (const index of [0, 1, 2, 3]) journal.add(index, "copied");
  worklist.leaveOut(left(4, "throttled"));
  expect(await explained(worklist, [run([4], { 'q"\\': denied })])).toMatchObject({
    classes: { 'q"\\': "throttled" },
    failure: "throttled",
  });
  worklist.startPass();
  journal.add(4, "unchanged");
  expect(await explained(worklist, [])).toMatchObject({ classes: {}, settled: 0 });
});

test("a message has one cause, however often it is asked for", async () => {
  using dir = temporaryDirectory();
  const { worklist } = await worklistOf(dir.path, keys);
  expect(worklist.causeOf(denied)).toBe(worklist.causeOf(denied));
  expect(worklist.causeOf(denied)).toMatchObject({ class: "auth", final: true });
  for (let i = 0; i < 10_001; i++) worklist.causeOf(`error ${i}`);
  expect(worklist.causeOf("one more").class).toBe("unknown");
});
