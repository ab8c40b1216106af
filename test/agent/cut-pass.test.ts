import { expect, test } from "bun:test";
import { type CutMemory, runWithCuts } from "../../agent/cut-pass.ts";
import type { PassPart } from "../../agent/pass-part.ts";
import type { RcloneResult } from "../../agent/rclone-run.ts";
import { causeOf } from "../../lib/rclone/telling.ts";
import { temporaryDirectory } from "../stage/harness.ts";
import { ended } from "./ended.ts";
import { worklistOf } from "./worklist-of.ts";

const forbidden = "Attempt 1/1 failed with 1 errors and: Forbidden: Forbidden\n\tstatus code: 403";
const reset = "Failed to copy: read tcp: connection reset by peer";

/** Passes over so many records by a stand-in for rclone that gives how it ended, or copies all when it gives nothing. */
async function passesOver(
  dir: string,
  records: number,
  rclone: (indices: readonly number[]) => RcloneResult | undefined,
) {
  const keys = Array.from({ length: records }, (_, index) => `k${index}`);
  const { journal, worklist } = await worklistOf(dir, keys);
  const starts: number[] = [];
  const memory: CutMemory = { aborted: false, isGeneral: false };
  const stop = new AbortController();
  const copy = async (
    includes: (index: number) => boolean,
    isPiece: boolean,
  ): Promise<PassPart | undefined> => {
    const indices = keys.map((_, index) => index).filter(includes);
    if (indices.length === 0) return undefined;
    starts.push(indices.length);
    const result = rclone(indices);
    if (!result) for (const index of indices) journal.add(index, "copied");
    const proved = result === undefined;
    return { includes, records: indices.length, isPiece, proved, result: result ?? ended(0) };
  };
  const pass = async (isLastPass = false) => {
    worklist.startPass();
    const group = worklist.ofGroup(false);
    const note = () => undefined;
    const options = { worklist, count: records, group, copy, memory, isLastPass, stop: stop.signal, note };
    return worklist.explain(await runWithCuts(options));
  };
  return { pass, journal, starts, memory, stop };
}

test("one record aborts: it is named alone, with its own message, and all others are copied", async () => {
  using dir = temporaryDirectory();
  const { pass, journal, starts } = await passesOver(dir.path, 100, (indices) =>
    indices.includes(50) ? ended(1, { error: causeOf(forbidden) }) : undefined,
  );
  const unproven = await pass();
  expect(unproven.records).toEqual([{ index: 50, ...causeOf(forbidden), own: true }]);
  expect(unproven).toMatchObject({ settled: 1, failure: "auth" });
  expect(journal.proofs.count).toBe(99);
  expect(starts.length).toBeLessThan(10);
  // Settled: nothing is left for another pass.
  expect((await pass()).records).toEqual(unproven.records);
});

test("records that hang rclone when they are several are found, too", async () => {
  using dir = temporaryDirectory();
  const bad = [3, 40, 41, 42, 77];
  const { pass, journal } = await passesOver(dir.path, 100, (indices) => {
    const there = indices.filter((index) => bad.includes(index)).length;
    if (there === 0) return undefined;
    return there >= 4 ? ended(143, { hang: "idle" }) : ended(1, { error: causeOf(forbidden) });
  });
  const { records } = await pass();
  const found = records.map(({ index, class: kind }) => [index, kind] as const);
  expect(found.sort(([one], [other]) => one - other)).toEqual(bad.map((index) => [index, "auth"]));
  expect(journal.proofs.count).toBe(95);
});

test("every record aborts alone, and all of them hang: the failure is what they say alone, and of no single one", async () => {
  using dir = temporaryDirectory();
  const { pass, starts } = await passesOver(dir.path, 100, (indices) =>
    indices.length >= 4 ? ended(143, { hang: "idle" }) : ended(1, { error: causeOf(forbidden) }),
  );
  const { records, settled, failure } = await pass();
  expect([starts.length, records.length, settled, failure]).toEqual([9, 100, 8, "auth"]);
  expect(records.find(({ index }) => index === 1)).toEqual({
    index: 1,
    class: "auth",
    message: `not reached: ${causeOf(forbidden).message}`,
    final: true,
  });
});

test("the network: the pass is tried again as a whole, then cut", async () => {
  using dir = temporaryDirectory();
  const { pass, journal, starts } = await passesOver(dir.path, 100, (indices) =>
    indices.includes(50) ? ended(1, { error: causeOf(reset) }) : undefined,
  );
  expect(await pass()).toMatchObject({ settled: 0, failure: "network" });
  expect(starts).toEqual([100]);
  // Its failure may pass: it is not settled, and the next pass has it alone.
  const { records, settled } = await pass();
  expect(records).toEqual([{ index: 50, ...causeOf(reset), own: true }]);
  expect([settled, journal.proofs.count]).toEqual([0, 99]);
  starts.length = 0;
  await pass();
  expect(starts).toEqual([1]);
});

test("the network, in the last pass: it is cut at once", async () => {
  using dir = temporaryDirectory();
  const { pass, journal } = await passesOver(dir.path, 100, (indices) =>
    indices.includes(50) ? ended(1, { error: causeOf(reset) }) : undefined,
  );
  await pass(true);
  expect(journal.proofs.count).toBe(99);
});

test("what every record has is not searched for again in the same attempt", async () => {
  using dir = temporaryDirectory();
  const { pass, starts, memory } = await passesOver(dir.path, 100, () =>
    ended(1, { error: causeOf("strange") }),
  );
  await pass();
  expect([starts.length, memory.isGeneral]).toEqual([9, true]);
  await pass();
  expect(starts.length).toBe(10);
});

test("a stop ends the search, and what it did not reach is not to blame", async () => {
  using dir = temporaryDirectory();
  const { pass, starts, stop } = await passesOver(dir.path, 100, () => {
    if (starts.length === 3) stop.abort("SIGTERM");
    return ended(1, { error: causeOf(forbidden) });
  });
  const { records } = await pass();
  expect(starts.length).toBe(3);
  expect(records.filter(({ own }) => own !== true).every((record) => record.class === "unknown")).toBe(true);
});
