import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SampleObject } from "../data/fill.ts";
import { listedName } from "../data/hostile-names.ts";

/** JSON as Python's json module writes it: only ASCII. */
function asciiJson(value: unknown, indent?: number): string {
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, indent).replace(/[\u0080-\uffff]/g, escaped);
}

function recordOf(roots: { source: string; dest: string }, { key, body, mtime }: SampleObject) {
  const path = listedName(key);
  return {
    schema: "xfer.manifest.v1",
    run_id: "20260101T000000Z_a1b2c3",
    source_root: roots.source,
    dest_root: roots.dest,
    source: `${roots.source}/${path}`,
    dest: `${roots.dest}/${path}`,
    path,
    size: body.length,
    mtime: mtime.toISOString(),
    hashes: {},
    etag: null,
    storage_class: null,
    meta: {},
  };
}

/**
 * Writes a run directory as the Python xfer leaves it after two array tasks: the first half of the objects in a shard that
 * is marked done, the others in one that has failed.
 */
export function writeEarlierRun(
  dir: string,
  roots: { source: string; dest: string },
  objects: readonly SampleObject[],
): void {
  for (const name of ["shards", "logs", "state"]) mkdirSync(join(dir, name), { recursive: true });
  const records = objects.map((object) => recordOf(roots, object));
  const linesOf = (some: typeof records) => some.map((record) => `${asciiJson(record)}\n`).join("");
  const half = records.length / 2;
  writeFileSync(join(dir, "manifest.jsonl"), linesOf(records));
  writeFileSync(join(dir, "shards", "shard_000000.jsonl"), linesOf(records.slice(0, half)));
  writeFileSync(join(dir, "shards", "shard_000001.jsonl"), linesOf(records.slice(half)));
  const meta = {
    schema: "xfer.shards.v1",
    input: join(dir, "manifest.jsonl"),
    outdir: join(dir, "shards"),
    num_shards: 2,
    strategy: "bytes",
    num_records: records.length,
    bytes_total: records.reduce((sum, { size }) => sum + size, 0),
    created_at: "2026-01-01T00:00:00Z",
  };
  writeFileSync(join(dir, "shards", "shards.meta.json"), `${asciiJson(meta, 2)}\n`);
  const config = {
    schema: "xfer.runconfig.v1",
    run_dir: dir,
    num_shards: 2,
    array_concurrency: 64,
    job_name: "xfer",
    time_limit: "24:00:00",
    partition: "transfer",
    cpus_per_task: 4,
    mem: "8G",
    source_root: roots.source,
    dest_root: roots.dest,
    rclone_image: "rclone/rclone:latest",
    rclone_config_host: "/home/me/rclone.conf",
    rclone_conf_in_container: "/etc/rclone/rclone.conf",
    rclone_flags: "--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20",
    max_attempts: 5,
    sbatch_extras: "",
    pyxis_extra: "",
    created_at: "2026-01-01T00:00:00Z",
  };
  writeFileSync(join(dir, "config.resolved.json"), `${asciiJson(config, 2)}\n`);
  const state = { "0.attempt": "1\n", "0.done": "", "1.attempt": "5\n", "1.fail": "1\n" };
  for (const [name, text] of Object.entries(state)) writeFileSync(join(dir, "state", `shard_${name}`), text);
  for (const [shard, some] of [records.slice(0, half), records.slice(half)].entries()) {
    const keys = some.map(({ path }) => `${path}\n`).join("");
    writeFileSync(join(dir, "state", `shard_${shard}.files`), keys);
  }
}
