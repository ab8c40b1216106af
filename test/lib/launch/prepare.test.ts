import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type PrepareOptions, prepareRun } from "../../../lib/launch/prepare.ts";
import { log } from "../../../lib/system/log.ts";
import { recordOf } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { requestOf } from "./request-of.ts";

const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  spyOn(log, "info").mockImplementation(((text: unknown) => said.push(String(text))) as never);
});

afterEach(() => {
  mock.restore();
});

/** A request to copy the folder `dir`/in to `dir`/out with the rclone of this machine. */
function optionsOf(dir: string, more: Partial<PrepareOptions> = {}): PrepareOptions {
  const { manifestPath, numShards, sourceRoot, destRoot, ...render } = requestOf(dir);
  return {
    build: {
      ...render.rclone,
      cpus: 1,
      verbosity: 0,
      runId: "20261122T081500Z_a1b2c3",
      errorDir: dir,
      stop: new AbortController().signal,
      sourceRoot: join(dir, "in"),
      destRoot: join(dir, "out"),
      recursive: true,
      fastList: false,
      modtime: "server",
      hash: "off",
      extraLsjsonFlags: [],
      listParallel: 1,
      onProgress: () => {},
    },
    numShards: undefined,
    numShardsDefault: 2,
    minShardSeconds: undefined,
    strategy: "bytes",
    delta: undefined,
    render,
    ...more,
  };
}

/** Three files of a source. */
function writeSource(dir: string): void {
  mkdirSync(join(dir, "in", "d"), { recursive: true });
  writeFileSync(join(dir, "in", "a"), "1");
  writeFileSync(join(dir, "in", "d", "b\u{1f600}"), "22");
  writeFileSync(join(dir, "in", "d", "c"), "333");
}

/** A manifest of the source, as an earlier start left it. */
function writeManifest(dir: string, paths: readonly string[] = ["a", "d/c"]): void {
  mkdirSync(join(dir, "run"), { recursive: true });
  const roots = { source_root: join(dir, "in"), dest_root: join(dir, "out") };
  const lines = paths.map((path) => {
    const names = { source: `${roots.source_root}/${path}`, dest: `${roots.dest_root}/${path}` };
    return `${JSON.stringify({ ...recordOf({ path, size: 1 }), ...roots, ...names })}\n`;
  });
  writeFileSync(join(dir, "run", "manifest.jsonl"), lines.join(""));
}

const inRun = (dir: string, ...name: string[]) => readFileSync(join(dir, "run", ...name), "utf8");
const pathsIn = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { path: string }).path)
    .sort();
const metaIn = (dir: string) =>
  JSON.parse(inRun(dir, "shards", "shards.meta.json")) as {
    input: string;
    num_shards: number;
    num_records: number;
  };
const names = (dir: string) => readdirSync(join(dir, "run")).sort();

const rendered = [
  "bin",
  "config.resolved.json",
  "logs",
  "sbatch_array.sh",
  "state",
  "submit.sh",
  "worker.sh",
];

/** What a preparation that must fail threw. */
const failed = (options: PrepareOptions) => prepareRun(options).catch((thrown: unknown) => thrown);

test("a fresh run is listed, cut and rendered; the same again does nothing anew", async () => {
  using dir = temporaryDirectory();
  writeSource(dir.path);
  const config = await prepareRun(optionsOf(dir.path));
  expect(config).toMatchObject({
    num_shards: 2,
    source_root: join(dir.path, "in"),
    dest_root: join(dir.path, "out"),
    rclone_flags: ["--transfers", "8"],
  });
  const manifest = inRun(dir.path, "manifest.jsonl");
  expect(pathsIn(manifest)).toEqual(["a", "d/b\u{1f600}", "d/c"]);
  const shards =
    inRun(dir.path, "shards", "shard_000000.jsonl") + inRun(dir.path, "shards", "shard_000001.jsonl");
  expect(shards).toBe(manifest);
  expect(names(dir.path)).toEqual(
    [...rendered, "manifest.jsonl", "manifest.jsonl.progress", "shards"].sort(),
  );
  expect(said).toEqual(["listed 3 objects, 6 B", "cut into 2 shards by bytes"]);
  const meta = inRun(dir.path, "shards", "shards.meta.json");
  // What came to the source later is not in this run, and neither is another default.
  writeFileSync(join(dir.path, "in", "late"), "late");
  const again = await prepareRun(optionsOf(dir.path, { numShardsDefault: 3 }));
  expect(again).toEqual(config);
  expect(inRun(dir.path, "manifest.jsonl")).toBe(manifest);
  expect(inRun(dir.path, "shards", "shards.meta.json")).toBe(meta);
  expect(said.slice(2)).toEqual([
    `${join(dir.path, "run", "manifest.jsonl")} is there: the source is not listed again`,
  ]);
});

test("a run that was stopped after its listing goes on with it: the source is not even looked at", async () => {
  using dir = temporaryDirectory();
  writeManifest(dir.path);
  const { build, ...rest } = optionsOf(dir.path);
  const config = await prepareRun({
    ...rest,
    build: { ...build, sourceRoot: undefined, destRoot: undefined },
  });
  expect(config).toMatchObject({ num_shards: 2, source_root: join(dir.path, "in") });
  expect(metaIn(dir.path)).toMatchObject({ input: "manifest.jsonl", num_records: 2 });
});

test("a run that was stopped after its cutting keeps its shards, and its scripts are made again", async () => {
  using dir = temporaryDirectory();
  writeManifest(dir.path);
  await prepareRun(optionsOf(dir.path));
  const shard = inRun(dir.path, "shards", "shard_000001.jsonl");
  for (const name of rendered) rmSync(join(dir.path, "run", name), { recursive: true });
  await prepareRun(optionsOf(dir.path, { numShards: 2 }));
  expect(names(dir.path)).toEqual([...rendered, "manifest.jsonl", "shards"].sort());
  expect(inRun(dir.path, "shards", "shard_000001.jsonl")).toBe(shard);
});

test.each<[string, PrepareOptions["numShards"], PrepareOptions["numShardsDefault"], number]>([
  ["asked for", 3, 1, 3],
  ["the default", undefined, 2, 2],
  ["the default, where there are fewer records", undefined, 64, 3],
  ["what the sizes suggest: three small objects are one", "auto", 3, 1],
  ["what the sizes suggest, by default", undefined, "auto", 1],
])("shards are as many as %s", async (_, numShards, numShardsDefault, shards) => {
  using dir = temporaryDirectory();
  writeManifest(dir.path, ["a", "b", "c"]);
  await prepareRun(optionsOf(dir.path, { numShards, numShardsDefault }));
  expect(metaIn(dir.path).num_shards).toBe(shards);
});

test.each<
  [string, (dir: string) => Promise<unknown> | unknown, (options: PrepareOptions) => PrepareOptions, string]
>([
  [
    "no source is named and none was listed",
    () => {},
    (o) => ({ ...o, build: { ...o.build, sourceRoot: undefined } }),
    "--source and --dest are needed: there is no ",
  ],
  [
    "another source is named than was listed",
    (dir) => writeManifest(dir),
    (o) => ({ ...o, build: { ...o.build, sourceRoot: "/elsewhere" } }),
    "--source is /elsewhere, but ",
  ],
  [
    "another destination is named than was listed",
    (dir) => writeManifest(dir),
    (o) => ({ ...o, build: { ...o.build, destRoot: "/elsewhere" } }),
    "a manifest is immutable, use a new run directory",
  ],
  [
    "the manifest of the shards is gone",
    async (dir) => {
      writeManifest(dir);
      await prepareRun(optionsOf(dir));
      rmSync(join(dir, "run", "manifest.jsonl"));
    },
    (o) => o,
    "has shards, but ",
  ],
  [
    "the shards are of another manifest",
    async (dir) => {
      writeManifest(dir);
      await prepareRun(optionsOf(dir));
      const other = inRun(dir, "shards", "shards.meta.json").replace(
        /"dest_root": "[^"]*"/,
        '"dest_root": "/other"',
      );
      writeFileSync(join(dir, "run", "shards", "shards.meta.json"), other);
    },
    (o) => ({ ...o, build: { ...o.build, destRoot: undefined } }),
    "shard the manifest again",
  ],
  [
    "another number of shards is there",
    async (dir) => {
      writeManifest(dir);
      await prepareRun(optionsOf(dir));
    },
    (o) => ({ ...o, numShards: 1 }),
    "--num-shards is 1, but the run has 2 shards already",
  ],
  [
    "more shards are asked for than there are records",
    (dir) => writeManifest(dir),
    (o) => ({ ...o, numShards: 3 }),
    "3",
  ],
  [
    "a delta is asked for of a run that was cut whole",
    async (dir) => {
      writeManifest(dir);
      await prepareRun(optionsOf(dir));
    },
    (o) => ({ ...o, delta: { compare: "size", onProgress: () => {} } }),
    "--delta: ",
  ],
  [
    "the manifest has a bad line",
    (dir) => {
      writeManifest(dir);
      appendFileSync(join(dir, "run", "manifest.jsonl"), '{"schema":"xfer.manifest.v1"\n');
    },
    (o) => o,
    "manifest.jsonl:3: not a manifest record",
  ],
])("where %s nothing is made or changed", async (_, before, change, problem) => {
  using dir = temporaryDirectory();
  await before(dir.path);
  const contents = () =>
    existsSync(join(dir.path, "run"))
      ? readdirSync(join(dir.path, "run"), { recursive: true, withFileTypes: true })
          .filter((file) => file.isFile())
          .map((file) => [
            join(file.parentPath, file.name),
            readFileSync(join(file.parentPath, file.name), "utf8"),
          ])
          .sort()
      : [];
  const there = contents();
  const error = await failed(change(optionsOf(dir.path)));
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(problem) });
  expect(contents()).toEqual(there);
});

const delta: PrepareOptions["delta"] = { compare: "size", onProgress: () => {} };

test("with a delta only what is missing or differs is cut, and what is the same is noted", async () => {
  using dir = temporaryDirectory();
  writeSource(dir.path);
  mkdirSync(join(dir.path, "out", "d"), { recursive: true });
  writeFileSync(join(dir.path, "out", "a"), "x");
  writeFileSync(join(dir.path, "out", "d", "c"), "another size");
  await prepareRun(optionsOf(dir.path, { delta, numShards: 64 }));
  expect(pathsIn(inRun(dir.path, "delta.jsonl"))).toEqual(["d/b\u{1f600}", "d/c"]);
  expect(metaIn(dir.path)).toMatchObject({ input: "delta.jsonl", num_shards: 2, num_records: 2 });
  expect(JSON.parse(inRun(dir.path, "delta.json"))).toMatchObject({
    manifest: "manifest.jsonl",
    out: "delta.jsonl",
    new: 1,
    changed: 1,
    same: 1,
    same_bytes: 1,
  });
  // As many shards were asked for as its records allow: the same command goes on.
  const again = await prepareRun(optionsOf(dir.path, { delta, numShards: 64 }));
  expect(again).toMatchObject({ num_shards: 2 });
});

test("where the delta finds nothing to do, there are no shards and nothing to run", async () => {
  using dir = temporaryDirectory();
  writeSource(dir.path);
  writeManifest(dir.path, ["a"]);
  mkdirSync(join(dir.path, "out"));
  writeFileSync(join(dir.path, "out", "a"), "x");
  expect(await prepareRun(optionsOf(dir.path, { delta }))).toBeUndefined();
  expect(names(dir.path)).toEqual(["delta.json", "delta.jsonl", "manifest.jsonl"]);
  // It is looked at anew until there are shards.
  writeFileSync(join(dir.path, "out", "a"), "another size");
  expect(await prepareRun(optionsOf(dir.path, { delta }))).toMatchObject({ num_shards: 1 });
});

test("a preparation that is stopped goes on with what it has", async () => {
  using dir = temporaryDirectory();
  writeManifest(dir.path);
  const { build, ...rest } = optionsOf(dir.path);
  const error = await failed({ ...rest, build: { ...build, stop: AbortSignal.abort("SIGTERM") } });
  expect(error).toMatchObject({
    exitCode: 75,
    message: expect.stringContaining("run the same command again"),
  });
  expect(names(dir.path)).toEqual(["manifest.jsonl"]);
  expect(await prepareRun(optionsOf(dir.path))).toMatchObject({ num_shards: 2 });
});
