import { existsSync } from "node:fs";
import * as v from "valibot";
import { readUntransferable } from "../manifest/untransferable.ts";
import type { Amount } from "../run/account.ts";
import { readRunConfig } from "../run/config.ts";
import { readDeltaSame } from "../run/delta-totals.ts";
import { type RunLayout, runLayout } from "../run/layout.ts";
import { rootsOfShards } from "../run/roots.ts";
import { readControl } from "../run/state/control.ts";
import { StateReader } from "../run/state-reader.ts";
import { readSubmissions } from "../run/submissions.ts";
import { requireShardsMeta, type ShardsMeta } from "../shard/meta.ts";
import { type QueuedTasks, readQueue } from "../slurm/squeue.ts";
import { invalidInput, XferError } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";
import { jobsOf } from "./standing.ts";
import { type RunFacts, type RunReading, statusOf } from "./status.ts";

/** How often Slurm is asked at most: every answer keeps its controller busy for all its users. */
const askMs = 30_000;
/** How many jobs are asked for, the latest first. */
const jobsMax = 200;

/** What of a run stays as it is while it is looked at. */
interface Fixed {
  runId: string | null;
  roots: RunFacts["roots"];
  meta: RunFacts["meta"];
  outside: { untransferable: Amount; same: Amount };
}

/** Looks at a run again and again: what has changed of its files, and one squeue in 30 s at most. */
export class RunLook {
  readonly runDir: string;
  readonly #run: RunLayout;
  readonly #fixed: Fixed;
  readonly #reader: StateReader;
  #asked: { atMs: number; jobs: string; answer: Promise<QueuedTasks[] | undefined> } | undefined;
  #queue: { jobs: string; tasks: QueuedTasks[] | undefined } | undefined;
  #answers = 0;

  private constructor(runDir: string, fixed: Fixed) {
    this.runDir = runDir;
    this.#run = runLayout(runDir);
    this.#fixed = fixed;
    this.#reader = new StateReader(this.#run, fixed.meta);
  }

  /** Opens a run directory. Throws invalid input when it is none, or has no shards. */
  static async open(runDir: string): Promise<RunLook> {
    const run = runLayout(runDir);
    if (!existsSync(runDir)) throw invalidInput(`${runDir}: no such run directory: see --run-dir`);
    const meta = shardsOf(run);
    const same = readDeltaSame(run, "input" in meta ? meta : undefined);
    const untransferable = await readUntransferable(run.manifest);
    const config = configOf(run);
    const roots = config ?? ("input" in meta ? await rootsOfShards(run, meta).catch(nothingExpected) : null);
    return new RunLook(runDir, {
      runId: config?.run_id ?? null,
      roots: roots ? { source_root: roots.source_root, dest_root: roots.dest_root } : null,
      meta,
      outside: { untransferable, same },
    });
  }

  /** How many answers of Slurm there were: an absence is told from a task between two states by a second answer. */
  get answers(): number {
    return this.#answers;
  }

  /** What Slurm's last answer has of the run's jobs; undefined where there was none. */
  get queue(): readonly QueuedTasks[] | undefined {
    return this.#queue?.tasks;
  }

  /**
   * Looks at the run. The first look waits for Slurm's answer, where the run has jobs; a later one takes the last answer,
   * and asks anew when that is old.
   */
  async look(): Promise<RunReading> {
    const look = this.#reader.read();
    const submissions = readSubmissions(this.#run);
    const jobs = jobsOf({ submissions, look }).map(({ job_id }) => job_id);
    const isFirst = this.#asked === undefined;
    this.#ask(jobs.slice(-jobsMax));
    if (isFirst) await this.#asked?.answer;
    const isOfThese = this.#queue?.jobs === jobs.slice(-jobsMax).join(",");
    return statusOf({
      ...{ runDir: this.runDir, ...this.#fixed, look, submissions },
      // Of a job that was submitted since, the last answer knows nothing.
      queue: isOfThese ? this.#queue?.tasks : undefined,
      control: look.hasControl ? readControl(this.#run.control) : { kind: "none" },
      verified: verifiedIn(this.#run),
      nowMs: Date.now(),
    });
  }

  #ask(jobIds: readonly string[]): void {
    const jobs = jobIds.join(",");
    const nowMs = Date.now();
    if (jobIds.length === 0 || (this.#asked && nowMs - this.#asked.atMs < askMs)) return;
    const answer = readQueue(jobIds);
    this.#asked = { atMs: nowMs, jobs, answer };
    void answer.then((tasks) => {
      this.#queue = { jobs, tasks };
      if (tasks !== undefined) this.#answers++;
    });
  }
}

/** The shards of a run; none of one whose delta left nothing to copy. */
function shardsOf(run: RunLayout): ShardsMeta | RunFacts["meta"] {
  if (!existsSync(run.shardsMeta) && existsSync(run.deltaTotals)) {
    return { num_shards: 0, num_records: 0, bytes_total: 0, shards: [] };
  }
  return requireShardsMeta(run.shardsMeta);
}

/** A configuration that is torn or of another xfer is no reason to say nothing of the run. */
function configOf(run: RunLayout) {
  try {
    return readRunConfig(run.config);
  } catch (error) {
    return nothingExpected(error);
  }
}

function nothingExpected(error: unknown): null {
  if (error instanceof XferError) return null;
  throw error;
}

const verdictSchema = v.object({ schema: v.literal("xfer.verify.v1"), verified: v.boolean() });

function verifiedIn(run: RunLayout): boolean | null {
  const file = readJsonFile(run.verifyTotals, verdictSchema);
  return file.kind === "value" ? file.value.verified : null;
}
