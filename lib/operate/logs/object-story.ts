import { readdirSync } from "node:fs";
import * as v from "valibot";
import { untransferablePath } from "../../manifest/untransferable.ts";
import { readRunConfig } from "../../run/config.ts";
import { readJournal } from "../../run/journal.ts";
import { type RunLayout, runLayout, shardLayout } from "../../run/layout.ts";
import { isValidDone, readDone } from "../../run/state/done.ts";
import { readFail } from "../../run/state/fail.ts";
import { requireShardsMeta, type ShardsMeta } from "../../shard/meta.ts";
import { operationFailed } from "../../system/errors.ts";
import { breathe } from "../../system/interrupt.ts";
import { readJsonFile } from "../../system/json-file.ts";
import { type FoundLine, findLine, plainPart } from "./find-lines.ts";
import { LogCursor, type PlacedEntry } from "./log-cursor.ts";
import { logFileOf } from "./log-files.ts";

/** Lines of logs that a story holds; rclone says a few of each object in each attempt. */
const linesMax = 10_000;
const stopHint = "nothing was found yet";

/** All that a run knows of one object; its names are those of the JSON that is printed. */
export interface ObjectStory {
  schema: "xfer.object.v1";
  run_dir: string;
  key: string;
  /**
   * Where the object is accounted for: in a shard; among those that cannot be carried; or in the manifest alone, since a delta
   * found it the same at the destination.
   */
  place: "shard" | "untransferable" | "unchanged";
  shard: number | null;
  /** Its number in the shard, from 0. */
  index: number | null;
  /** The line of the manifest, or of the list of what cannot be carried. */
  record: Record<string, unknown>;
  /** Whether its shard is done, has failed, or neither; null where it is in none. */
  shard_state: "done" | "failed" | "unfinished" | null;
  /** What the journal of the shard says. */
  proof: "copied" | "unchanged" | null;
  /** What the .fail of the shard says of the object; null where there is none, or the object is not among the named ones. */
  fail: { class: string; message: string; attempt: number } | null;
  /** The verdict of the last verification; null where there was none. */
  verified: { verdict: string; reason: string | null; at: string | null } | null;
  /** What the log of each attempt says of it, in order. */
  lines: PlacedEntry[];
  /** Lines that are not among these. */
  more_lines: number;
}

/**
 * Tells all that a run knows of the object with this key. Shards and logs are searched without being held in memory.
 * `attempt` leaves out the logs of the others. Throws operation failed when the run has no such object.
 */
export async function tellObject(
  runDir: string,
  key: string,
  wanted: { shard: number | undefined; attempt: number | undefined },
  stop: AbortSignal,
): Promise<ObjectStory> {
  const run = runLayout(runDir);
  const meta = requireShardsMeta(run.shardsMeta);
  const base = { schema: "xfer.object.v1", run_dir: runDir, key } as const;
  const found = await findInShards(run, meta, key, wanted.shard, stop);
  if (found) return { ...base, ...(await ofShard(run, meta, key, found, wanted.attempt, stop)) };
  const outside = { shard: null, index: null, shard_state: null, proof: null, fail: null };
  const none = { ...outside, verified: null, lines: [], more_lines: 0 };
  const left = await findLine(untransferablePath(run.manifest), "key", key, stop);
  if (left) return { ...base, ...none, place: "untransferable", record: left.value };
  const listed = wanted.shard === undefined ? await findLine(run.manifest, "path", key, stop) : undefined;
  if (listed) {
    const verified = await verdictOf(run, undefined, key, stop);
    return { ...base, ...none, place: "unchanged", record: listed.value, verified };
  }
  const where = wanted.shard === undefined ? runDir : `shard ${wanted.shard} of ${runDir}`;
  throw operationFailed(
    `${where} has no object ${JSON.stringify(key)}: keys are as the manifest has them, below the source's root`,
  );
}

interface Place extends FoundLine {
  shard: number;
}

async function findInShards(
  run: RunLayout,
  meta: ShardsMeta,
  key: string,
  only: number | undefined,
  stop: AbortSignal,
): Promise<Place | undefined> {
  for (let shard = only ?? 0; shard < (only === undefined ? meta.num_shards : only + 1); shard++) {
    const found = await findLine(shardLayout(run, shard).records, "path", key, stop);
    if (found) return { ...found, shard };
  }
  return undefined;
}

async function ofShard(
  run: RunLayout,
  meta: ShardsMeta,
  key: string,
  { shard, number, value }: Place,
  attempt: number | undefined,
  stop: AbortSignal,
): Promise<Omit<ObjectStory, "schema" | "run_dir" | "key">> {
  const layout = shardLayout(run, shard);
  const entry = meta.shards[shard];
  if (!entry) throw operationFailed(`there is no shard ${shard}`);
  const { source_root, dest_root } = readRunConfig(run.config);
  const index = number - 1;
  const { proofs } = readJournal(layout.journal, { ...entry, roots: { source_root, dest_root } });
  const fail = readFail(layout.fail);
  const isDone = isValidDone(readDone(layout.done), entry);
  const failed = fail.kind === "value" && !isDone ? fail.value : undefined;
  const error = failed?.errors.find(({ path }) => path === key);
  return {
    ...{ place: "shard", shard, index, record: value },
    shard_state: isDone ? "done" : failed ? "failed" : "unfinished",
    proof: proofs.get(index) ?? null,
    fail: failed && error ? { class: error.class, message: error.message, attempt: failed.attempt } : null,
    verified: await verdictOf(run, shard, key, stop),
    ...(await linesOf(run, shard, key, attempt, stop)),
  };
}

const totalsSchema = v.object({ verified_at: v.optional(v.nullable(v.string()), null) });

const verdictSchema = v.object({ verdict: v.string(), reason: v.optional(v.nullable(v.string()), null) });

/** The verdict on an object: that of the run's verification, or where there is none that of its shard. */
async function verdictOf(
  run: RunLayout,
  shard: number | undefined,
  key: string,
  stop: AbortSignal,
): Promise<ObjectStory["verified"]> {
  const ofRun = { totals: run.verifyTotals, list: run.verifyList };
  const layout = shard === undefined ? undefined : shardLayout(run, shard);
  const places = [ofRun, ...(layout ? [{ totals: layout.verify, list: layout.verifyList }] : [])];
  for (const { totals, list } of places) {
    const file = readJsonFile(totals, totalsSchema);
    if (file.kind !== "value") continue;
    const line = await findLine(list, "path", key, stop);
    const said = v.safeParse(verdictSchema, line?.value);
    const at = file.value.verified_at;
    // The list names all but those whose hash is equal.
    if (line === undefined) return { verdict: "hash-proven", reason: null, at };
    if (said.success) return { ...said.output, at };
  }
  return null;
}

/** What the logs of a shard's attempts say of an object, whatever the level. */
async function linesOf(
  run: RunLayout,
  shard: number,
  key: string,
  attempt: number | undefined,
  stop: AbortSignal,
): Promise<Pick<ObjectStory, "lines" | "more_lines">> {
  const story: Pick<ObjectStory, "lines" | "more_lines"> = { lines: [], more_lines: 0 };
  const files = namesOf(run.logsDir)
    .flatMap((name) => logFileOf(name) ?? [])
    .flatMap((file) => (file.kind === "shard" && file.shard === shard ? [file] : []))
    .filter((file) => attempt === undefined || file.attempt === attempt)
    .sort((one, other) => one.attempt - other.attempt);
  const part = plainPart(key);
  for (const file of files) {
    const cursor = new LogCursor(run.logsDir, file, 256 * 1024);
    for (;;) {
      const entry = cursor.next(
        ({ object }) => object === key,
        true,
        (line) => line.includes(part),
      );
      if (entry === undefined) break;
      if (entry === "later") await breathe(stop, stopHint);
      else if (story.lines.length < linesMax) story.lines.push(entry);
      else story.more_lines++;
    }
  }
  return story;
}

function namesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
