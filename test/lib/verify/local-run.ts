import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type RunConfig, writeRunConfig } from "../../../lib/run/config.ts";
import { type RunLayout, runLayout } from "../../../lib/run/layout.ts";
import { shardManifest } from "../../../lib/shard/cut.ts";
import type { ShardsMeta } from "../../../lib/shard/meta.ts";
import { recordOf } from "../../data/manifest.ts";

/** A file of a sample run: what its manifest says, and what is at both ends. Undefined is nothing. */
export interface SampleFile {
  /** In the manifest, with the size of `source`. */
  md5?: string;
  source?: string;
  dest?: string;
  /** Seconds by which the destination's time is another. */
  later?: number;
}

const mtime = "2026-01-01T00:00:00.000Z";

/** A run directory between two folders of `dir`, cut into shards, with what these files are. */
export async function localRun(
  dir: string,
  files: Readonly<Record<string, SampleFile>>,
  numShards = 1,
): Promise<{ run: RunLayout; config: RunConfig; meta: ShardsMeta }> {
  const run = runLayout(join(dir, "run"));
  const roots = { source_root: join(dir, "in"), dest_root: join(dir, "out") };
  mkdirSync(run.stateDir, { recursive: true });
  for (const root of Object.values(roots)) mkdirSync(root, { recursive: true });
  const lines: string[] = [];
  for (const [path, { md5, source, dest, later = 0 }] of Object.entries(files)) {
    const time = Date.parse(mtime) / 1_000;
    put(join(roots.source_root, path), source, time);
    put(join(roots.dest_root, path), dest, time + later);
    if (source === undefined && md5 === undefined) continue;
    const size = Buffer.byteLength(source ?? "");
    const names = { source: `${roots.source_root}/${path}`, dest: `${roots.dest_root}/${path}` };
    const hashes = md5 === undefined ? {} : { md5 };
    lines.push(`${JSON.stringify({ ...recordOf({ path, size }), ...roots, ...names, mtime, hashes })}\n`);
  }
  writeFileSync(run.manifest, lines.join(""));
  const config: RunConfig = {
    schema: "xfer.runconfig.v1",
    xfer_version: "9.9.9",
    created_at: mtime,
    run_id: "20261122T081500Z_a1b2c3",
    ...roots,
    num_shards: numShards,
    runtime: "host",
    rclone_image: null,
    rclone_config: null,
    rclone_conf_in_container: "/etc/rclone.conf",
    rclone_flags: [],
    metadata: "auto",
    create_bucket: false,
    pyxis_extra: [],
    cpus_per_task: 1,
    max_attempts: 1,
    max_restarts: 50,
    array_concurrency: 1,
    job_name: "xfer",
    stop_lead_seconds: 120,
  };
  writeRunConfig(run.config, config);
  const meta = await shardManifest({
    manifestPath: run.manifest,
    outdir: run.shardsDir,
    numShards,
    strategy: "count",
    now: new Date(mtime),
  });
  return { run, config, meta };
}

function put(path: string, content: string | undefined, time: number): void {
  if (content === undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, time, time);
}
