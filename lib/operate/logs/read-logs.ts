import { existsSync, readdirSync } from "node:fs";
import { type RunLayout, runLayout } from "../../run/layout.ts";
import { readSubmissions, strideOf } from "../../run/submissions.ts";
import { readShardsMeta, requireShardsMeta } from "../../shard/meta.ts";
import { shardsOfTask } from "../../slurm/array-limits.ts";
import { invalidInput } from "../../system/errors.ts";
import { sleep } from "../../system/interrupt.ts";
import { LogCursor, type PlacedEntry } from "./log-cursor.ts";
import { type LogFile, type LogFilter, logFileOf, mayHold } from "./log-files.ts";
import { mergeLogs } from "./merge-logs.ts";
import { RunEndWatch } from "./run-over.ts";

/** All files together take so much memory at most, and one file no more than the next number. */
const memoryBytes = 64 * 1024 * 1024;
const chunkBytesMax = 256 * 1024;
const chunkBytesMin = 16 * 1024;
/** Entries that are given at a time. */
const batchMax = 500;
/** How often a file that grows is read on. One that does not is looked at ever more rarely, of thousands of files yet more so. */
const pollMs = 500;
const pollMsMax = (files: number) => (files < 1_000 ? 2_000 : 30_000);

/** Which lines of a run's logs are read. */
export interface LogsRequest {
  runDir: string;
  filter: LogFilter;
  /** Whether lines are waited for until the run has ended. */
  follows: boolean;
  stop: AbortSignal;
}

/** The folder of a run's logs, as it is looked into again and again. */
class LogFolder {
  readonly #dir: string;
  readonly #filter: LogFilter;
  readonly #run: RunLayout;
  readonly #numShards: number;
  readonly #seen = new Set<string>();

  constructor(runDir: string, filter: LogFilter) {
    const run = runLayout(runDir);
    if (!existsSync(run.logsDir)) throw invalidInput(`${run.logsDir}: no such folder: not a run directory`);
    const meta = readShardsMeta(run.shardsMeta);
    const { shard } = filter;
    if (meta && shard !== undefined && shard >= meta.num_shards) {
      throw invalidInput(`--shard: there is no shard ${shard}: the run has 0 to ${meta.num_shards - 1}`);
    }
    this.#dir = run.logsDir;
    this.#filter = filter;
    this.#run = run;
    this.#numShards = meta?.num_shards ?? 0;
  }

  /** The files that were not there before, and may hold what is wanted. */
  newFiles(): LogFile[] {
    const names = readdirSync(this.#dir).filter((name) => !this.#seen.has(name));
    for (const name of names) this.#seen.add(name);
    if (names.length === 0) return [];
    const strides = new Map(readSubmissions(this.#run).map((job) => [job.job_id, strideOf(job)]));
    const shardsOf = (job: string, task: number) => {
      const stride = strides.get(job) ?? null;
      return stride === null ? [task] : shardsOfTask(task, stride, this.#numShards);
    };
    return names.flatMap((name) => {
      const file = logFileOf(name);
      return file && mayHold(file, this.#filter, shardsOf) ? [file] : [];
    });
  }

  open(files: readonly LogFile[], alreadyOpen = 0): LogCursor[] {
    const share = Math.floor(memoryBytes / Math.max(1, files.length + alreadyOpen));
    const chunkBytes = Math.min(chunkBytesMax, Math.max(chunkBytesMin, share));
    return files.map((file) => new LogCursor(this.#dir, file, chunkBytes));
  }
}

/**
 * Reads a run's logs, merged by time, in batches; when lines are waited for, what came meanwhile is merged. It ends early
 * when `stop` is aborted. Throws invalid input for what is no run directory, and for a shard that the run has not.
 */
export async function* readLogs(request: LogsRequest): AsyncGenerator<PlacedEntry[]> {
  const { runDir, filter, follows, stop } = request;
  const folder = new LogFolder(runDir, filter);
  const cursors = folder.open(folder.newFiles());
  yield* inBatches(mergeLogs(cursors, filter, !follows), stop);
  if (follows) yield* follow(request, folder, cursors);
}

async function* inBatches(
  entries: Iterable<PlacedEntry | undefined>,
  stop: AbortSignal,
): AsyncGenerator<PlacedEntry[]> {
  let batch: PlacedEntry[] = [];
  for (const entry of entries) {
    if (entry) batch.push(entry);
    if (entry && batch.length < batchMax) continue;
    if (batch.length > 0) yield batch;
    batch = [];
    // Signals and timers are served.
    await new Promise((resolve) => setImmediate(resolve));
    if (stop.aborted) return;
  }
  if (batch.length > 0) yield batch;
}

/** Gives what comes to the files, and to new ones, until the run has ended. */
async function* follow(
  { runDir, filter, stop }: LogsRequest,
  folder: LogFolder,
  first: readonly LogCursor[],
): AsyncGenerator<PlacedEntry[]> {
  const run = runLayout(runDir);
  const end = new RunEndWatch(run, requireShardsMeta(run.shardsMeta), filter.shard, Date.now());
  const tail = first.map((cursor) => ({ cursor, position: cursor.position, waitMs: pollMs, dueMs: 0 }));
  for (;;) {
    const isOver = await end.isOver(Date.now());
    for (const cursor of folder.open(folder.newFiles(), tail.length)) {
      tail.push({ cursor, position: 0, waitMs: pollMs, dueMs: 0 });
    }
    const now = Date.now();
    const due = tail.filter(({ dueMs }) => isOver || dueMs <= now);
    const cursors = due.map(({ cursor }) => cursor);
    yield* inBatches(mergeLogs(cursors, filter, isOver), stop);
    if (isOver || stop.aborted) return;
    for (const file of due) {
      const grew = file.cursor.position !== file.position;
      file.position = file.cursor.position;
      file.waitMs = grew ? pollMs : Math.min(pollMsMax(tail.length), 2 * file.waitMs);
      file.dueMs = now + file.waitMs;
    }
    await sleep(pollMs, stop);
    if (stop.aborted) return;
  }
}
