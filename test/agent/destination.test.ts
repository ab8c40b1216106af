import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { type ExamineOptions, examineDestination } from "../../agent/destination.ts";
import { MissingBucket } from "../../lib/listing/bucket.ts";
import { ListingFailed } from "../../lib/listing/lister.ts";
import { runLayout, shardLayout } from "../../lib/run/layout.ts";
import type { Destination } from "../../lib/run/state/destination.ts";
import { writeFindings } from "../../lib/run/state/findings.ts";
import type { ShardsMeta } from "../../lib/shard/meta.ts";
import { invalidInput, operationFailed } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const waiting: string[] = [];

beforeEach(() => {
  waiting.length = 0;
  spyOn(log, "info").mockImplementation(((text: unknown) => waiting.push(String(text))) as never);
});

afterEach(() => {
  mock.restore();
});

const digestOf = (shard: number) => String(shard).repeat(64);
const meta = {
  num_shards: 2,
  shards: [0, 1].map((shard) => ({ records: 3, bytes: 3, sha256: digestOf(shard) })),
} as ShardsMeta;

const nothing: Destination = { found: "nothing", listed: 0, version: [1, 60] };

/** A run directory in which agents ask; counts how often it was looked. */
function runIn(dir: string) {
  const run = runLayout(dir);
  mkdirSync(run.stateDir);
  let looks = 0;
  const ask = (shard: number, probe: ExamineOptions["probe"], more: Partial<ExamineOptions> = {}) =>
    examineDestination({
      run,
      destRoot: "dst:b",
      meta,
      shard,
      stop: new AbortController().signal,
      probe: (stop) => {
        looks++;
        return probe(stop);
      },
      ...more,
    });
  return { run, ask, looks: () => looks };
}

const neverAsked = () => {
  throw new Error("it was looked again");
};

test("the destination is looked at once for all shards", async () => {
  using dir = temporaryDirectory();
  const { run, ask, looks } = runIn(dir.path);
  const seen = { kind: "seen", destination: nothing, findings: undefined };
  expect(await ask(0, async () => nothing)).toEqual(seen as never);
  for (const shard of [1, 0]) expect(await ask(shard, neverAsked)).toEqual(seen as never);
  expect(looks()).toBe(1);
  expect(readdirSync(run.stateDir)).toEqual(["destination.json"]);
});

test("each shard is told what was found of its own records", async () => {
  using dir = temporaryDirectory();
  const { run, ask } = runIn(dir.path);
  const found = [Uint8Array.of(0, 1, 2), Uint8Array.of(2, 2, 0)];
  const destination: Destination = { found: "per-shard", listed: 5, version: null };
  const probe = async () => {
    found.forEach((of, shard) => {
      writeFindings(shardLayout(run, shard).found, digestOf(shard), of);
    });
    return destination;
  };
  for (const shard of [1, 0]) {
    expect(await ask(shard, probe)).toEqual({ kind: "seen", destination, findings: found[shard] });
  }
  // What is torn is none: it is looked again.
  writeFileSync(shardLayout(run, 0).found, "torn");
  expect(await ask(1, neverAsked)).toMatchObject({ findings: found[1] as Uint8Array });
  expect(await ask(0, probe)).toMatchObject({ findings: found[0] as Uint8Array });
});

test("a look of other shards, or at another place, is no answer", async () => {
  using dir = temporaryDirectory();
  const { ask, looks } = runIn(dir.path);
  await ask(0, async () => nothing);
  await ask(0, async () => nothing, { destRoot: "dst:other" });
  const recut = { ...meta, shards: meta.shards.map((entry) => ({ ...entry, sha256: digestOf(7) })) };
  await ask(0, async () => nothing, { meta: recut });
  expect(looks()).toBe(3);
});

const listingFailed = (failure: "network" | "missing" | "auth", final: boolean) =>
  new ListingFailed("listing dst:b failed: it said so", { class: failure, message: "it said so", final }, {});
const looked = "the destination could not be looked at, and nothing was copied: ";

/** [what ended the look, its class, what is said, whether only the user cures it] */
test.each<[string, Error, string, string, boolean]>([
  ["a bucket that is not there", new MissingBucket("no bucket b"), "config", "no bucket b", true],
  [
    "a listing that may pass",
    listingFailed("network", false),
    "network",
    `${looked}listing dst:b failed: it said so`,
    false,
  ],
  [
    "a listing that may not",
    listingFailed("auth", true),
    "auth",
    `${looked}listing dst:b failed: it said so`,
    true,
  ],
  // Of a place that cannot be looked at nothing is known to be missing.
  [
    "a listing of nothing",
    listingFailed("missing", true),
    "unknown",
    `${looked}listing dst:b failed: it said so`,
    false,
  ],
  ["a denial", operationFailed("AccessDenied: Access Denied, status code: 403"), "auth", looked, true],
])("%s fails the look, and the next one looks again", async (_, error, failure, said, final) => {
  using dir = temporaryDirectory();
  const { run, ask, looks } = runIn(dir.path);
  const look = await ask(0, () => Promise.reject(error));
  if (look.kind !== "failed") throw new Error(`it is ${look.kind}`);
  expect(look.message).toStartWith(said);
  expect(look).toMatchObject({ class: failure as "auth", final });
  expect(existsSync(run.destinationClaim)).toBe(false);
  expect(await ask(1, async () => nothing)).toMatchObject({ kind: "seen" });
  expect(looks()).toBe(2);
  expect(existsSync(run.destinationFailure)).toBe(false);
});

test("those who wait for a look that fails fail alike, without a look of their own", async () => {
  using dir = temporaryDirectory();
  const { run, ask, looks } = runIn(dir.path);
  const gate = Promise.withResolvers<Destination>();
  const first = ask(0, () => gate.promise);
  while (looks() === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = ask(1, neverAsked);
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(waiting[0]).toStartWith(`waiting for the look at the destination by pid ${process.pid} on `);
  gate.reject(listingFailed("auth", true));
  const failed = await first;
  expect(failed).toMatchObject({ kind: "failed", class: "auth", final: true });
  expect(await second).toEqual(failed);
  expect(existsSync(run.destinationClaim)).toBe(false);
});

test("the failure of an earlier look is no answer to those who waited for one that was stopped", async () => {
  using dir = temporaryDirectory();
  const { run, ask, looks } = runIn(dir.path);
  await ask(0, () => Promise.reject(listingFailed("network", false)));
  expect(existsSync(run.destinationFailure)).toBe(true);
  const gate = Promise.withResolvers<Destination>();
  const controller = new AbortController();
  const first = ask(0, () => gate.promise, { stop: controller.signal });
  while (looks() < 2) await new Promise((resolve) => setImmediate(resolve));
  const second = ask(1, async () => nothing);
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  controller.abort("SIGTERM");
  gate.reject(operationFailed("stopped by SIGTERM"));
  expect((await first).kind).toBe("stopped");
  expect((await second).kind).toBe("seen");
  expect(looks()).toBe(3);
});

test("those who wait for a look that ends well take its answer", async () => {
  using dir = temporaryDirectory();
  const { ask, looks } = runIn(dir.path);
  const gate = Promise.withResolvers<Destination>();
  const first = ask(0, () => gate.promise);
  while (looks() === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = ask(1, neverAsked);
  gate.resolve(nothing);
  expect(await first).toMatchObject({ kind: "seen" });
  expect(await second).toMatchObject({ kind: "seen" });
});

test("a look that is stopped leaves no answer, no failure and no claim", async () => {
  using dir = temporaryDirectory();
  const { run, ask } = runIn(dir.path);
  const controller = new AbortController();
  const look = await ask(
    0,
    (stop) => {
      controller.abort("SIGTERM");
      expect(stop.aborted).toBe(true);
      return Promise.reject(invalidInput("stopped by SIGTERM"));
    },
    { stop: controller.signal },
  );
  expect(look).toEqual({ kind: "stopped" });
  expect(readdirSync(run.stateDir)).toEqual([]);
  expect(await ask(0, neverAsked, { stop: controller.signal })).toEqual({ kind: "stopped" });
});

test("an error that nobody expects is thrown, and others can look", async () => {
  using dir = temporaryDirectory();
  const { run, ask } = runIn(dir.path);
  await expect(ask(0, () => Promise.reject(new Error("a bug")))).rejects.toThrow("a bug");
  // It says that all is found of shards of which it wrote nothing.
  const destination: Destination = { found: "per-shard", listed: 1, version: null };
  await expect(ask(0, async () => destination)).rejects.toThrow("left no answer");
  expect(existsSync(run.destinationClaim)).toBe(false);
});
