import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { writeRunConfig } from "../../../../lib/run/config.ts";
import { type RunLayout, runLayout, shardLayout } from "../../../../lib/run/layout.ts";
import type { AttemptState } from "../../../../lib/run/state/attempt.ts";
import { recordLine } from "../../../data/manifest.ts";

/** How a shard of a made run stands, and what of it is proven: the indices of its records. */
export interface MadeShard {
  keys: readonly string[];
  proven?: readonly number[];
  end?: "done" | "failed" | "stopped" | "running";
  /** What the .fail names. */
  errors?: readonly { path: string; class: string; message: string }[];
  attempt?: Partial<AttemptState>;
  /** Lines of the .samples: at, objects and bytes, in minutes after the start. */
  samples?: readonly (readonly [minute: number, attempt: number, objects: number, bytes: number])[];
  node?: string;
  /** When it started and ended, in minutes after the run was made. */
  minutes?: readonly [from: number, to: number];
}

export const madeRoots = { source_root: "src:bucket/set", dest_root: "dst:bucket/set" };
export const madeAt = "2026-01-01T00:00:00.000Z";
/** The size of each object. */
const objectBytes = 10;

export const minuteAt = (minute: number): string =>
  new Date(Date.parse(madeAt) + minute * 60_000).toISOString();

const sha256Of = (text: string) => createHash("sha256").update(text).digest("hex");

/** Writes a run directory with these shards, as a render and agents leave it; none of it was run. */
export function makeRun(dir: string, shards: readonly MadeShard[]): RunLayout {
  const run = runLayout(dir);
  for (const folder of [run.stateDir, run.shardsDir, run.logsDir]) mkdirSync(folder, { recursive: true });
  const texts = shards.map(({ keys }) =>
    keys.map((path) => recordLine({ path, size: objectBytes })).join(""),
  );
  writeFileSync(run.manifest, texts.join(""));
  const entries = shards.map(({ keys }, shard) => ({
    shard,
    records: keys.length,
    bytes: keys.length * objectBytes,
    sha256: sha256Of(texts[shard] ?? ""),
  }));
  const records = entries.reduce((sum, entry) => sum + entry.records, 0);
  writeFileSync(
    run.shardsMeta,
    JSON.stringify({
      ...{ schema: "xfer.shards.v1", input: "manifest.jsonl", outdir: "shards", strategy: "bytes" },
      ...{ num_shards: shards.length, num_records: records, bytes_total: records * objectBytes },
      ...{ created_at: madeAt, ...madeRoots, shards: entries },
    }),
  );
  writeRunConfig(run.config, {
    ...{ schema: "xfer.runconfig.v1", xfer_version: "9.9.9", created_at: madeAt },
    ...{ run_id: "20260101T000000Z_a1b2c3", ...madeRoots, num_shards: shards.length },
    ...{ runtime: "pyxis", rclone_image: "/img.sqsh", rclone_config: null },
    ...{ rclone_conf_in_container: "/etc/rclone.conf", rclone_flags: ["--transfers", "32"] },
    ...{ metadata: "auto", create_bucket: false, pyxis_extra: [], cpus_per_task: 1, max_attempts: 5 },
    ...{ max_restarts: 50, array_concurrency: 8, job_name: "xfer", stop_lead_seconds: 120 },
  });
  shards.forEach((made, shard) => {
    writeFileSync(shardLayout(run, shard).records, texts[shard] ?? "");
    writeState(run, shard, made, entries[shard]?.sha256 ?? "");
  });
  return run;
}

function writeState(run: RunLayout, shard: number, made: MadeShard, sha256: string): void {
  const { keys, end, errors = [], samples, node = "n1", minutes: [from, to] = [1, 2] } = made;
  const layout = shardLayout(run, shard);
  const proven = made.proven ?? (end === "done" ? keys.map((_, index) => index) : []);
  const write = (path: string, value: object) => writeFileSync(path, `${JSON.stringify(value)}\n`);
  if (end === undefined) return;
  const whole = { shard, sha256, records: keys.length, bytes: keys.length * objectBytes };
  const attempt = made.attempt?.attempt ?? 1;
  write(layout.attempt, {
    ...{ schema: "xfer.attempt.v1", shard, sha256, attempt, submission: "slurm:7", spent: 0 },
    ...{ outcome: end, proven_at_start: 0, node, host: node, child: null },
    ...{ agent: { pid: 1, start: "1" }, started_at: minuteAt(from), ...made.attempt },
  });
  const roots = JSON.stringify([madeRoots.source_root, madeRoots.dest_root]);
  const lines = proven.map((index) => `c${index}\n`).join("");
  writeFileSync(layout.journal, `xfer.journal.v1 ${sha256} ${roots}\n${lines}`);
  if (samples) {
    const text = samples.map(([minute, number, objects, bytes]) =>
      JSON.stringify({
        ...{ at: minuteAt(minute), attempt: number, objects, bytes },
        ...{ errors: 0, throttled: 0, transfers: 32 },
      }),
    );
    writeFileSync(layout.samples, `${text.join("\n")}\n`);
  }
  if (end === "done") {
    write(layout.done, {
      ...{ schema: "xfer.done.v1", ...whole, copied: keys.length, copied_bytes: whole.bytes },
      ...{ ...madeRoots, attempt, node, finished_at: minuteAt(to) },
    });
  } else if (end === "failed") {
    const failed = keys.length - proven.length;
    write(layout.fail, {
      ...{ schema: "xfer.fail.v1", ...whole, class: errors[0]?.class ?? "network", final: true },
      ...{ message: `${failed} objects failed`, exit_code: 1, attempt, node, failed_at: minuteAt(to) },
      ...{ proven: proven.length, proven_bytes: proven.length * objectBytes },
      ...{ failed, failed_bytes: failed * objectBytes },
      errors: errors.map((error) => ({ ...error, size: objectBytes })),
    });
  } else {
    write(layout.progress, {
      ...{ schema: "xfer.progress.v1", ...whole, attempt, pass: 1, node, objects_done: proven.length },
      ...{ bytes_done: proven.length * objectBytes, bytes_in_flight: 0, bytes_per_second: 1 },
      ...{ eta_seconds: null, errors: 0, plan: "", updated_at: minuteAt(to) },
    });
  }
}
