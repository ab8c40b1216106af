import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { renderRun } from "../../../lib/launch/render.ts";
import type { RenderOptions } from "../../../lib/launch/request.ts";
import { recordLine, recordOf } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { requestOf, slurm } from "./request-of.ts";

/** The key of the sample's run: sha256 of ["20261122T081500Z_a1b2c3","src:bucket/set","dst:bucket/set"]. */
const runKey = "4677629645eca478";
const root = join(import.meta.dir, "..", "..", "..");

/** A request whose run directory has a manifest of one record. */
function preparedRequest(dir: string, more: Partial<RenderOptions> = {}): RenderOptions {
  const request = { ...requestOf(dir), ...more };
  mkdirSync(dirname(request.manifestPath), { recursive: true });
  writeFileSync(request.manifestPath, recordLine({ path: "a", size: 1 }));
  return request;
}

/** Describes shards in the run directory, of one record each and these roots. */
function writeMeta(request: RenderOptions, numShards: number, more: object = {}): void {
  const shards = join(request.runDir, "shards");
  mkdirSync(shards, { recursive: true });
  const meta = {
    schema: "xfer.shards.v1",
    input: "manifest.jsonl",
    outdir: "shards",
    num_shards: numShards,
    strategy: "bytes",
    num_records: numShards,
    bytes_total: numShards,
    created_at: "",
    source_root: "src:bucket/set",
    dest_root: "dst:bucket/set",
    keys_distinct: true,
    shards: Array.from({ length: numShards }, () => ({ records: 1, bytes: 1, sha256: "a".repeat(64) })),
    ...more,
  };
  writeFileSync(join(shards, "shards.meta.json"), JSON.stringify(meta));
}

const read = (...parts: string[]) => readFileSync(join(...parts), "utf8");

test("the configuration of a run, field by field and in this order", async () => {
  using dir = temporaryDirectory();
  const request = preparedRequest(dir.path, {
    numShards: 256,
    rcloneFlags: ["--transfers", "8", "--bwlimit", '08:00,512k 12:00,"10M"'],
    metadata: "off",
    createBucket: true,
    maxAttempts: 3,
    maxRestarts: 0,
  });
  const config = await renderRun(request);
  const expected = `{
  "schema": "xfer.runconfig.v1",
  "xfer_version": "9.9.9",
  "created_at": "2026-11-25T08:00:00.000Z",
  "run_id": "20261122T081500Z_a1b2c3",
  "source_root": "src:bucket/set",
  "dest_root": "dst:bucket/set",
  "num_shards": 256,
  "runtime": "host",
  "rclone_image": null,
  "rclone_config": ${JSON.stringify(join(dir.path, "rclone.conf"))},
  "rclone_conf_in_container": "/etc/rclone.conf",
  "rclone_flags": [
    "--transfers",
    "8",
    "--bwlimit",
    "08:00,512k 12:00,\\"10M\\""
  ],
  "metadata": "off",
  "create_bucket": true,
  "pyxis_extra": [],
  "cpus_per_task": 4,
  "max_attempts": 3,
  "max_restarts": 0,
  "array_concurrency": 64,
  "job_name": "xfer",
  "stop_lead_seconds": 120,
  "run_key": "${runKey}"
}
`;
  expect(read(request.runDir, "config.resolved.json")).toBe(expected);
  expect(config as unknown).toEqual(JSON.parse(expected));
});

test("the three scripts: the user's words are on #SBATCH lines, and the run's key is in the batch script", async () => {
  using dir = temporaryDirectory();
  const request = preparedRequest(dir.path, { numShards: 256 });
  await renderRun(request);
  const golden = read(root, "test/lib/slurm/golden/plain.sh").replaceAll("0123456789abcdef", runKey);
  expect(read(request.runDir, "sbatch_array.sh")).toBe(golden);
  expect(read(request.runDir, "submit.sh")).toBe(read(root, "templates/submit.sh"));
  expect(read(request.runDir, "worker.sh")).toBe(read(root, "templates/worker.sh"));
  for (const name of ["sbatch_array.sh", "submit.sh", "worker.sh"]) {
    // Whoever may read it may execute it.
    const { mode } = statSync(join(request.runDir, name));
    expect(mode & 0o111).toBe((mode & 0o444) >> 2);
    expect(mode & 0o100).toBe(0o100);
  }
  expect(readdirSync(request.runDir).sort()).toEqual([
    "bin",
    "config.resolved.json",
    "logs",
    "manifest.jsonl",
    "sbatch_array.sh",
    "state",
    "submit.sh",
    "worker.sh",
  ]);
});

test("no file but the configuration names a place outside of the run, and none the run's own", async () => {
  using dir = temporaryDirectory();
  const request = preparedRequest(dir.path, { numShards: 2 });
  await renderRun(request);
  for (const name of ["config.resolved.json", "sbatch_array.sh", "submit.sh", "worker.sh"]) {
    const text = read(request.runDir, name);
    expect(text).not.toContain(request.runDir);
    if (name !== "config.resolved.json") expect(text).not.toContain(dir.path);
  }
});

test("the agent is copied with its time, or named by its path; one takes the other's place", async () => {
  using dir = temporaryDirectory();
  const request = preparedRequest(dir.path, { numShards: 1 });
  const source = join(dir.path, "agent");
  chmodSync(source, 0o755);
  utimesSync(source, 1_000, 1_000.5);
  await renderRun(request);
  const bin = join(request.runDir, "bin");
  expect(readdirSync(bin)).toEqual(["xfer"]);
  expect(read(bin, "xfer")).toBe("#!/bin/sh\n");
  const first = statSync(join(bin, "xfer"));
  expect(first.mode & 0o777).toBe(0o755);
  expect(first.mtimeMs).toBe(1_000_500);
  // The same again is left alone: it may be running.
  await renderRun(request);
  expect(statSync(join(bin, "xfer")).ino).toBe(first.ino);
  // Another of the same size is told by its time.
  writeFileSync(source, "#!/bin/ash");
  await renderRun(request);
  expect(read(bin, "xfer")).toBe("#!/bin/ash");
  // And another of the same time by its size.
  const { atime, mtime } = statSync(source);
  writeFileSync(source, "#!/bin/bash\n");
  utimesSync(source, atime, mtime);
  await renderRun(request);
  expect(read(bin, "xfer")).toBe("#!/bin/bash\n");
  await renderRun({ ...request, agent: { path: "/opt/xfer 1/bin/xfer" } });
  expect(readdirSync(bin)).toEqual(["agent-path"]);
  expect(read(bin, "agent-path")).toBe("/opt/xfer 1/bin/xfer\n");
  await renderRun(request);
  expect(readdirSync(bin)).toEqual(["xfer"]);
});

test("rendered again, a run keeps its key; between other roots it is another", async () => {
  using dir = temporaryDirectory();
  const request = preparedRequest(dir.path, { numShards: 1 });
  await renderRun(request);
  const again = await renderRun({ ...request, maxAttempts: 9, slurm: { ...slurm, mem: "1G" } });
  expect(again).toMatchObject({ max_attempts: 9, run_key: runKey });
  const other = await renderRun({ ...request, destRoot: "dst:bucket/other" });
  expect(other.dest_root).toBe("dst:bucket/other");
  expect(other.run_key).not.toBe(runKey);
});

test("where shards are, they say how many there are and between which roots", async () => {
  using dir = temporaryDirectory();
  const request = preparedRequest(dir.path);
  const roots = { source_root: "src:bucket/set", dest_root: "dst:bucket/rebased" };
  writeMeta(request, 3, { input: "rebased.jsonl", ...roots });
  expect(await renderRun(request)).toMatchObject({ num_shards: 3, ...roots });
  expect(read(request.runDir, "sbatch_array.sh")).toContain("\n#SBATCH --array=0-2%64\n");
  expect(await renderRun({ ...request, numShards: 3, destRoot: "dst:bucket/rebased" })).toMatchObject(roots);
});

type Change = (request: RenderOptions) => RenderOptions;

test.each<[string, Change, string]>([
  ["no number of shards is told", (r) => r, "--num-shards is needed: there is no "],
  [
    "another number of shards is there",
    (r) => {
      writeMeta(r, 3);
      return { ...r, numShards: 4 };
    },
    "--num-shards is 4, but ",
  ],
  [
    "the shards have another source",
    (r) => {
      writeMeta(r, 3);
      return { ...r, sourceRoot: "src:bucket/other" };
    },
    "--source-root is src:bucket/other, but ",
  ],
  [
    "the shards have another destination",
    (r) => {
      writeMeta(r, 3);
      return { ...r, destRoot: "dst:bucket/other" };
    },
    "rebase the manifest (xfer manifest rebase) and shard it again",
  ],
  [
    "the shards' description is torn",
    (r) => {
      writeMeta(r, 3);
      writeFileSync(join(r.runDir, "shards", "shards.meta.json"), "{");
      return r;
    },
    "is torn or is not JSON: shard the manifest again",
  ],
  [
    "the roots overlap",
    (r) => ({ ...r, numShards: 1, destRoot: "src:bucket/set/in" }),
    "lies inside the source src:bucket/set",
  ],
  [
    "a remote is not in rclone.conf",
    (r) => ({ ...r, numShards: 1, destRoot: "elsewhere:b" }),
    "--dest-root: ",
  ],
  [
    "the manifest's source is relative",
    (r) => {
      writeFileSync(
        r.manifestPath,
        `${JSON.stringify({ ...recordOf({ path: "a", size: 1 }), source_root: "in" })}\n`,
      );
      return { ...r, numShards: 1 };
    },
    "manifest.jsonl: source_root: in is a relative path",
  ],
  [
    "the manifest is empty",
    (r) => {
      writeFileSync(r.manifestPath, "");
      return { ...r, numShards: 1 };
    },
    "manifest.jsonl",
  ],
  [
    "a word of Slurm has a line break",
    (r) => ({ ...r, numShards: 1, slurm: { ...slurm, partition: "p\nrm" } }),
    "a control character cannot be in an sbatch option",
  ],
  [
    "the agent's path has a line break",
    (r) => ({ ...r, numShards: 1, agent: { path: "/opt/x\nfer" } }),
    "--agent-path: has a line break",
  ],
  [
    "a container has no image",
    (r) => ({ ...r, numShards: 1, rclone: { ...r.rclone, runtime: "pyxis" } }),
    "--rclone-image is needed with --runtime pyxis",
  ],
])("where %s nothing is written", async (_, change, problem) => {
  using dir = temporaryDirectory();
  const request = change(preparedRequest(dir.path));
  const before = readdirSync(request.runDir).sort();
  const error = await renderRun(request).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(problem) });
  expect(readdirSync(request.runDir).sort()).toEqual(before);
});

test("a manifest that is not there is named", async () => {
  using dir = temporaryDirectory();
  const request = { ...requestOf(dir.path), numShards: 1 };
  await expect(renderRun(request)).rejects.toThrow(request.manifestPath);
  expect(existsSync(request.runDir)).toBe(false);
});
