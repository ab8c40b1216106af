import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ChecksumMode } from "../../../lib/compare/verify-rule.ts";
import { type RunLayout, shardLayout } from "../../../lib/run/layout.ts";
import { type VerifyOptions, verifyRun } from "../../../lib/verify/verify-run.ts";
import { verifyShard } from "../../../lib/verify/verify-shard.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { localRun, type SampleFile } from "./local-run.ts";

const md5 = (text: string) => new Bun.CryptoHasher("md5").update(text).digest("hex");

/** Files of every kind, of four bytes where they are anything. */
const files: Record<string, SampleFile> = {
  "d/same": { source: "same", dest: "same", md5: md5("same") },
  "d/other size": { source: "four", dest: "another", md5: md5("four") },
  "d/other content": { source: "here", dest: "Here", md5: md5("here") },
  "no hash": { source: "hash", dest: "HASH" },
  gone: { source: "gone", md5: md5("gone") },
  "name \u{1f600}\u2028": { source: "name", dest: "name", md5: md5("name") },
  "there alone": { dest: "more" },
};

const optionsOf = (run: RunLayout, more: Partial<VerifyOptions> = {}): VerifyOptions => ({
  runDir: run.dir,
  checksum: "auto",
  downloadSample: 0,
  listParallel: 1,
  version: "9.9.9",
  now: new Date("2026-11-25T08:00:00.000Z"),
  stop: new AbortController().signal,
  onProgress: () => {},
  ...more,
});

/** The lines of a list: path, verdict and reason. */
function listIn(path: string): Record<string, string> {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return Object.fromEntries(
    lines.map((line) => {
      const { path: key, verdict, reason } = JSON.parse(line) as Record<string, string>;
      return [key, `${verdict}: ${reason}`];
    }),
  );
}

const missing = "missing: not at the destination";
const otherSize = "differs: another size at the destination";
const sizeOnly = "size-only: same size; no MD5 to compare on one side";
const otherHash = "differs: another MD5 at the destination";

/** What is listed of each object: by sizes alone, which a file system tells for nothing; and by hashes. */
const bySize = {
  "d/same": sizeOnly,
  "d/other size": otherSize,
  "d/other content": sizeOnly,
  "no hash": sizeOnly,
  gone: missing,
  "name \u{1f600}\u2028": sizeOnly,
};
const byHash = {
  "d/other size": otherSize,
  "d/other content": otherHash,
  "no hash": sizeOnly,
  gone: missing,
};

test.each<[ChecksumMode, Record<string, string>, object, string[]]>([
  ["auto", bySize, { hash_proven: 0, size_only: 4, missing: 1, differs: 1 }, ["d/other size", "gone"]],
  ["off", bySize, { hash_proven: 0, size_only: 4, missing: 1, differs: 1 }, ["d/other size", "gone"]],
  [
    "require",
    byHash,
    { hash_proven: 2, size_only: 1, missing: 1, differs: 2 },
    ["d/other size", "d/other content", "no hash", "gone"],
  ],
])("with --checksum %s the run and its shards find the same", async (checksum, list, counts, failed) => {
  using dir = temporaryDirectory();
  const { run, config, meta } = await localRun(dir.path, files);
  const found = await verifyRun(optionsOf(run, { checksum }));
  expect(found).toMatchObject({
    ...counts,
    checksum,
    listed: { objects: 6, bytes: 24 },
    extra: 1,
    verified: false,
    dest_root: config.dest_root,
    verified_at: "2026-11-25T08:00:00.000Z",
  });
  expect(found.failures.map(({ path }) => path)).toEqual(failed);
  expect(listIn(run.verifyList)).toEqual(list);
  expect(JSON.parse(readFileSync(run.verifyTotals, "utf8"))).toEqual(found);
  const [entry] = meta.shards;
  if (entry === undefined) throw new Error("no shard");
  const { stop, now } = optionsOf(run);
  const ofShard = await verifyShard({ run, config, shard: 0, entry, checksum, now, stop });
  expect(ofShard).toMatchObject({ ...counts, checksum, sha256: entry.sha256 });
  expect(ofShard.failures).toEqual(found.failures);
  expect(listIn(shardLayout(run, 0).verifyList)).toEqual(list);
});

test("a run all of which is there is verified", async () => {
  using dir = temporaryDirectory();
  const { run } = await localRun(dir.path, {
    a: { source: "a", dest: "a" },
    "b/c": { source: "", dest: "" },
  });
  expect(await verifyRun(optionsOf(run))).toMatchObject({
    verified: true,
    size_only: 2,
    extra: 0,
    failures: [],
  });
});

test("an object of the same size that became another after the listing fails, by its time", async () => {
  using dir = temporaryDirectory();
  const { run, config } = await localRun(dir.path, {
    changed: { source: "new!", dest: "old!", later: -100 },
    "later there": { source: "same", dest: "same", later: 100 },
  });
  // The source's time is the manifest's in the one case, and was moved on in the other.
  const path = `${config.source_root}/changed`;
  writeFileSync(path, "newer");
  writeFileSync(path, "new!");
  const found = await verifyRun(optionsOf(run));
  expect(found).toMatchObject({ differs: 1, size_only: 1, verified: false });
  expect(found.failures.map(({ path: key }) => key)).toEqual(["changed"]);
});

test("what a hash proves is proven, whatever its time", async () => {
  using dir = temporaryDirectory();
  const { run, config } = await localRun(dir.path, {
    a: { source: "same", dest: "same", md5: md5("same"), later: -100 },
  });
  writeFileSync(`${config.source_root}/a`, "changed since");
  expect(await verifyRun(optionsOf(run, { checksum: "require" }))).toMatchObject({
    hash_proven: 1,
    verified: true,
  });
});

test("a sample reads what size alone lets pass", async () => {
  using dir = temporaryDirectory();
  const { run } = await localRun(dir.path, files);
  const found = await verifyRun(optionsOf(run, { downloadSample: 100 }));
  expect(found).toMatchObject({ sampled: 5, sampled_differs: 3, differs: 3, missing: 1, verified: false });
  expect(listIn(run.verifyList)["d/other content"]).toBe(
    "differs: read as a sample: other content at the destination",
  );
});

test("a destination that is not there at all has nothing", async () => {
  using dir = temporaryDirectory();
  const { run, config } = await localRun(dir.path, { a: { source: "a", dest: "a" } });
  rmSync(config.dest_root, { recursive: true });
  expect(await verifyRun(optionsOf(run))).toMatchObject({ missing: 1, verified: false });
});

test("a verification that is stopped leaves no totals: those of before are gone", async () => {
  using dir = temporaryDirectory();
  const { run } = await localRun(dir.path, { a: { source: "a", dest: "a" } });
  await verifyRun(optionsOf(run));
  const controller = new AbortController();
  const stopped = verifyRun(
    optionsOf(run, {
      downloadSample: 1,
      stop: controller.signal,
      onProgress: (doing) => {
        if (doing === "reading a sample") controller.abort("SIGTERM");
      },
    }),
  );
  await expect(stopped).rejects.toThrow(
    "stopped by SIGTERM: nothing is verified; run the same command again",
  );
  expect(existsSync(run.verifyTotals)).toBe(false);
});

test.each<[string, (run: RunLayout) => void, string]>([
  ["an empty manifest", (run) => writeFileSync(run.manifest, ""), "the manifest is empty"],
  ["no manifest", (run) => rmSync(run.manifest), "no such manifest"],
  [
    "a manifest of other roots",
    (run) => {
      const text = readFileSync(run.manifest, "utf8");
      writeFileSync(run.manifest, text.replace(/"dest_root":"[^"]*"/, '"dest_root":"/other"'));
    },
    "shard the manifest and render the run again",
  ],
])("%s cannot be verified, and what was verified before stays", async (_, breaks, problem) => {
  using dir = temporaryDirectory();
  const { run } = await localRun(dir.path, { a: { source: "a", dest: "a" } });
  await verifyRun(optionsOf(run));
  breaks(run);
  const error = await verifyRun(optionsOf(run)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(problem) });
  expect(existsSync(run.verifyTotals)).toBe(true);
});

test("no more than 20 failures are named in the totals; the list has all", async () => {
  using dir = temporaryDirectory();
  const { run } = await localRun(
    dir.path,
    Object.fromEntries(
      Array.from({ length: 25 }, (_, i) => [`f${String(i).padStart(2, "0")}`, { source: "x" }]),
    ),
  );
  const { failures, missing: count } = await verifyRun(optionsOf(run));
  expect(count).toBe(25);
  expect(failures.map(({ path }) => path)).toEqual(
    Array.from({ length: 20 }, (_, i) => `f${String(i).padStart(2, "0")}`),
  );
  expect(Object.keys(listIn(run.verifyList))).toHaveLength(25);
});
