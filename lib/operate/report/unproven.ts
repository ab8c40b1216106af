import { relative } from "node:path";
import * as v from "valibot";
import { isFailure, verdicts } from "../../compare/verify-rule.ts";
import { keyText } from "../../manifest/batch.ts";
import { KeyTable } from "../../manifest/key-table.ts";
import { forEachBatch } from "../../manifest/read.ts";
import { untransferablePath } from "../../manifest/untransferable.ts";
import { readJournal } from "../../run/journal.ts";
import { type RunLayout, runLayout, type ShardLayout, shardLayout } from "../../run/layout.ts";
import { readFail } from "../../run/state/fail.ts";
import { checkShardDigest } from "../../shard/records.ts";
import { errnoOf, messageOf, XferError } from "../../system/errors.ts";
import { fileChunks, forEachTextLine } from "../../system/lines.ts";
import { count } from "../../system/schemas.ts";
import type { Report, ReportShard, Unproven } from "./schema.ts";

/** Takes some objects at a time; the next ones come when it has resolved. */
export type TakeUnproven = (objects: readonly Unproven[]) => Promise<void>;

const heldMax = 2_048;

/** Hands objects on, some thousand at a time; of two objects of one name the first, where lists may overlap. */
class Handing {
  readonly #take: TakeUnproven;
  readonly #named: KeyTable | undefined;
  #held: Unproven[] = [];

  constructor(take: TakeUnproven, named: KeyTable | undefined) {
    this.#take = take;
    this.#named = named;
  }

  add(object: Unproven): void {
    if (object.path !== null && (this.#named?.add(object.path) ?? 0) < 0) return;
    this.#held.push(object);
  }

  /** Waits until what is held is taken, when it is more than this. */
  async drain(most = heldMax): Promise<void> {
    if (this.#held.length <= most) return;
    const objects = this.#held;
    this.#held = [];
    await this.#take(objects);
  }
}

/**
 * Hands on every object of a run that is not proven, each once, those first that need somebody:
 *
 * | of | objects | reason |
 * |---|---|---|
 * | a shard that has failed | not in its journal | as its .fail names it, or else that of the shard |
 * | verify.jsonl, where it speaks of the run as it is | missing, differs, and with --checksum require size-only | as there |
 * | manifest.untransferable.jsonl | all | as there |
 * | a shard that has not ended | not in its journal | how the shard stands |
 *
 * Objects of a shard file that is not there or has changed cannot be named: they are one entry, with their number. Memory
 * is that of one shard's .fail and journal, a byte a record. Only where a verification failed and shards have not all
 * ended well, some 30 bytes for each object are added, since two lists may name it.
 */
export async function forEachUnproven(report: Report, take: TakeUnproven): Promise<void> {
  const run = runLayout(report.run_dir);
  const { verification } = report.proof;
  const isRefuted = verification !== null && verification.outdated === null && !verification.verified;
  const failed = report.shard_list.filter(({ state }) => state === "failed");
  const unfinished = report.shard_list.filter(({ state }) => state !== "failed" && state !== "done");
  const overlap = isRefuted && failed.length + unfinished.length > 0;
  const handing = new Handing(take, overlap ? new KeyTable() : undefined);
  for (const shard of failed) await addShard(run, report, shard, handing);
  if (isRefuted) await addRefuted(run, verification.checksum === "require" ? "require" : "auto", handing);
  await addUntransferable(run, handing);
  for (const shard of unfinished) await addShard(run, report, shard, handing);
  await handing.drain(0);
}

/** The reason of an object of a shard that has not ended. */
const standing: Readonly<Record<ReportShard["state"], string>> = {
  done: "",
  failed: "",
  "under-way": "its shard is under way",
  stopped: "its shard was stopped",
  waiting: "its shard waits",
};

/** The objects of a shard that are not proven. */
async function addShard(run: RunLayout, report: Report, shard: ReportShard, handing: Handing): Promise<void> {
  const layout = shardLayout(run, shard.shard);
  const isFailed = shard.state === "failed";
  const rest: Unproven = {
    ...{ state: isFailed ? "failed" : "unfinished", shard: shard.shard, path: null, size: null, objects: 1 },
    class: shard.class,
    reason: isFailed ? (shard.message ?? "") : standing[shard.state],
  };
  const fail = isFailed ? readFail(layout.fail) : undefined;
  const errors = fail?.kind === "value" ? fail.value.errors : [];
  const named = new Map(errors.map(({ path, ...error }) => [path, error]));
  // A .fail names no more than the first objects: what the shard as a whole is said to be need not be so of the others.
  const unnamed = errors.length === 0 ? rest : { ...rest, class: null, reason: inLog(layout, run, shard) };
  try {
    await checkShardDigest(layout.records, shard.sha256);
    const proven = journalOf(layout, report, shard);
    let index = 0;
    await forEachBatch(layout.records, async (batch) => {
      for (let row = 0; row < batch.count; row++, index++) {
        if (proven.get(index) !== undefined) continue;
        const path = keyText(batch, row);
        const { class: failure = unnamed.class, message: reason = unnamed.reason } = named.get(path) ?? {};
        handing.add({ ...rest, path, size: batch.size[row] ?? 0, class: failure, reason });
      }
      await handing.drain();
    });
  } catch (error) {
    if (!(error instanceof XferError)) throw error;
    addUnnamed(shard, { ...rest, reason: messageOf(error) }, named, handing);
  }
  await handing.drain();
}

/** Where the reason of an object is told that the .fail of its shard does not name. */
const inLog = (layout: ShardLayout, run: RunLayout, shard: ReportShard): string =>
  `not named in its shard's .fail: see ${relative(run.dir, layout.log(shard.starts))}`;

/** What the journal of a shard proves, if it is of its content and the run's roots. */
function journalOf(layout: ShardLayout, report: Report, shard: ReportShard) {
  const { source_root, dest_root } = report.asked;
  const { sha256, records } = shard;
  return readJournal(layout.journal, { sha256, records, roots: { source_root, dest_root } }).proofs;
}

/** The objects of a shard whose records cannot be read: those that its .fail names, and the number of the others. */
function addUnnamed(
  shard: ReportShard,
  rest: Unproven,
  named: ReadonlyMap<string, { size: number; class: Unproven["class"]; message: string }>,
  handing: Handing,
): void {
  for (const [path, { size, class: failure, message }] of named) {
    handing.add({ ...rest, path, size, class: failure, reason: message });
  }
  const objects = shard.records - shard.proven - named.size;
  if (objects > 0) handing.add({ ...rest, objects });
}

const verdictLine = v.object({
  path: v.string(),
  size: count,
  verdict: v.picklist(verdicts),
  reason: v.string(),
});

const leftOutLine = v.object({ key: v.string(), size: v.nullable(count), reason: v.string() });

/** The objects that a verification found missing or other. */
async function addRefuted(run: RunLayout, checksum: "auto" | "require", handing: Handing): Promise<void> {
  await forEachLineOf(run.verifyList, verdictLine, handing, ({ path, size, verdict, reason }) => {
    if (verdict === "hash-proven" || !isFailure(verdict, checksum)) return;
    handing.add({ state: verdict, shard: null, path, size, objects: 1, class: null, reason });
  });
}

async function addUntransferable(run: RunLayout, handing: Handing): Promise<void> {
  await forEachLineOf(untransferablePath(run.manifest), leftOutLine, handing, ({ key, size, reason }) => {
    handing.add({
      ...{ state: "untransferable", shard: null, path: key, size, objects: 1 },
      ...{ class: "untransferable", reason },
    });
  });
}

/** Calls `each` with every line of a file that is of this schema; a file that is not there has none. */
async function forEachLineOf<S extends v.GenericSchema>(
  path: string,
  schema: S,
  handing: Handing,
  each: (line: v.InferOutput<S>) => void,
): Promise<void> {
  const parse = (line: string) => {
    try {
      const result = v.safeParse(schema, JSON.parse(line));
      if (result.success) each(result.output);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  };
  // A chunk at a time, so that what its lines add is taken before the next one is read.
  async function* drained() {
    for await (const chunk of fileChunks(path)) {
      yield chunk;
      await handing.drain();
    }
  }
  try {
    await forEachTextLine(drained(), parse);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
