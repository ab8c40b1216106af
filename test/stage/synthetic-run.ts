import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How a shard of a synthetic run is to be found. */
export type SyntheticKind =
  | "done"
  | "running"
  | "stale"
  | "failed"
  | "requeue"
  | "stopped"
  | "waiting"
  | "torn"
  | "foreign";

/** A run directory that no agent wrote, and what it holds by construction. */
export interface SyntheticRun {
  kinds: SyntheticKind[];
  proven: { objects: number; bytes: number };
  /** Of the failed shards. */
  failedObjects: number;
}

const perShard = 2_000;
const bytesOf = (shard: number) => 1_000_000 + shard;
const digestOf = (shard: number) => shard.toString(16).padStart(64, "0");

/** The message of every object that fails: a key of wide characters and one that moves the cursor. */
export const hostileKey = "目录/\u001b[2J文件\n名.bin";

const identity = { host: "h", boot: null, pid_namespace: null, agent: { pid: 1, start: "1" }, child: null };

/** Writes a run directory of shards of these kinds; shard i is of the kind i modulo their number. */
export function writeSyntheticRun(
  dir: string,
  { numShards, kinds, now }: { numShards: number; kinds: readonly SyntheticKind[]; now: Date },
): SyntheticRun {
  const all = Array.from({ length: numShards }, (_, shard) => kinds[shard % kinds.length] ?? "waiting");
  for (const folder of ["shards", "state"]) mkdirSync(join(dir, folder), { recursive: true });
  const shards = all.map((_, shard) => ({
    ...{ shard, records: perShard, bytes: bytesOf(shard), sha256: digestOf(shard) },
  }));
  const roots = { source_root: "src:data", dest_root: "dst:copy" };
  const meta = {
    ...{ schema: "xfer.shards.v1", input: "manifest.jsonl", outdir: "shards", num_shards: numShards },
    ...{
      strategy: "bytes",
      num_records: perShard * numShards,
      created_at: now.toISOString(),
      ...roots,
      shards,
    },
    bytes_total: shards.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  writeFileSync(join(dir, "shards", "shards.meta.json"), JSON.stringify(meta));
  const run: SyntheticRun = { kinds: all, proven: { objects: 0, bytes: 0 }, failedObjects: 0 };
  for (const [shard, kind] of all.entries()) writeShard(dir, { shard, kind, now, run });
  return run;
}

function writeShard(
  dir: string,
  { shard, kind, now, run }: { shard: number; kind: SyntheticKind; now: Date; run: SyntheticRun },
): void {
  const write = (name: string, content: unknown) =>
    writeFileSync(
      join(dir, "state", `shard_${shard}.${name}`),
      typeof content === "string" ? content : `${JSON.stringify(content)}\n`,
    );
  const ago = (seconds: number) => new Date(now.getTime() - 1000 * seconds).toISOString();
  const head = { shard, sha256: digestOf(shard) };
  const whole = { records: perShard, bytes: bytesOf(shard) };
  const attempt = (outcome: string, more: object = {}) =>
    write("attempt", {
      ...{ schema: "xfer.attempt.v1", ...head, attempt: 2, submission: "local:x", spent: 1, ...identity },
      ...{ walltime_stops: 1, outcome, proven_at_start: 100, node: `n${shard % 7}`, started_at: ago(1_000) },
      ...more,
    });
  const proven = (objects: number, bytes: number) => {
    run.proven.objects += objects;
    run.proven.bytes += bytes;
  };
  const progress = (seconds: number, more: object = {}) => {
    proven(500, 400_000);
    const rest = { bytes_in_flight: 1_000, bytes_per_second: 1_000, eta_seconds: 60 + shard, errors: 0 };
    write("progress", {
      ...{ schema: "xfer.progress.v1", ...head, ...whole, attempt: 2, pass: 1, node: `n${shard % 7}` },
      ...{ objects_done: 500, bytes_done: 400_000, ...rest, plan: "", updated_at: ago(seconds), ...more },
    });
  };
  const fail = (final: boolean) => {
    proven(1_900, 900_000);
    run.failedObjects += final ? 100 : 0;
    const error = { size: 10, class: "auth", message: "PutObject: AccessDenied: no" };
    write("fail", {
      ...{
        schema: "xfer.fail.v1",
        ...head,
        ...whole,
        class: "auth",
        final,
        message: "100 objects not proven: no",
      },
      ...{
        exit_code: 1,
        proven: 1_900,
        proven_bytes: 900_000,
        failed: 100,
        failed_bytes: bytesOf(shard) - 900_000,
      },
      ...{ attempt: 2, node: "n", failed_at: ago(10) },
      errors: Array.from({ length: 100 }, (_, i) => ({ path: i === 0 ? hostileKey : `k${i}`, ...error })),
    });
  };
  const writers: Record<SyntheticKind, () => void> = {
    done: () => {
      proven(perShard, bytesOf(shard));
      const copied = { copied: perShard, copied_bytes: bytesOf(shard), attempt: 2, node: "n" };
      write("done", { schema: "xfer.done.v1", ...head, ...whole, ...copied, finished_at: ago(100) });
      attempt("done");
    },
    running: () => {
      attempt("running");
      progress(1);
    },
    stale: () => {
      attempt("running", { started_at: ago(11_000) });
      progress(10_000);
      const then = new Date(now.getTime() - 10_000_000);
      for (const name of ["attempt", "progress"])
        utimesSync(join(dir, "state", `shard_${shard}.${name}`), then, then);
    },
    failed: () => {
      fail(true);
      attempt("failed");
    },
    requeue: () => {
      fail(false);
      attempt("failed");
    },
    stopped: () => {
      attempt("stopped", { stopped_by: "other" });
      progress(500);
    },
    waiting: () => undefined,
    torn: () => {
      write("done", '{"schema":"xfer.do');
      write("progress", "");
    },
    foreign: () => {
      write("attempt", { schema: "another.v9" });
      write("done", {
        schema: "xfer.done.v1",
        shard,
        sha256: "f".repeat(64),
        ...whole,
        copied: 1,
        copied_bytes: 1,
        attempt: 1,
        node: "n",
        finished_at: ago(1),
      });
      write("notes.txt", "hello");
    },
  };
  writers[kind]();
}
