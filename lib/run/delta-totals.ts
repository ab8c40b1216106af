import { basename } from "node:path";
import * as v from "valibot";
import type { Delta } from "../compare/delta.ts";
import type { ShardsMeta } from "../shard/meta.ts";
import { writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";
import { count } from "../system/schemas.ts";
import type { Amount } from "./account.ts";
import type { RunLayout } from "./layout.ts";

const totalsSchema = v.object({
  schema: v.literal("xfer.delta.v1"),
  same: count,
  same_bytes: count,
});

/** Keeps the totals of a run's delta, since the records that it planned do not tell how many were the same. */
export function writeDeltaTotals(run: RunLayout, delta: Delta): void {
  // A run directory may be moved: its files are named without its path.
  const kept: Delta = { ...delta, manifest: basename(run.manifest), out: basename(run.delta) };
  writeFileDurable(run.deltaTotals, `${JSON.stringify(kept)}\n`);
}

/**
 * How many objects a run did not plan because its delta found them the same at the destination. None for a run whose shards
 * are of the whole manifest, and for a run of an earlier build, which kept no totals.
 */
export function readDeltaSame(run: RunLayout, meta: Pick<ShardsMeta, "input"> | undefined): Amount {
  const none = { objects: 0, bytes: 0 };
  if (meta && meta.input !== basename(run.delta)) return none;
  const file = readJsonFile(run.deltaTotals, totalsSchema);
  if (file.kind === "none") return none;
  if (file.kind !== "value")
    throw invalidInput(`${run.deltaTotals}: torn or not a delta's totals: use a new run directory`);
  return { objects: file.value.same, bytes: file.value.same_bytes };
}

/** Whether the shards of a run are cut from its whole manifest, and not from what a delta planned of it. */
export const isWholeManifest = (run: RunLayout, meta: Pick<ShardsMeta, "input">): boolean =>
  meta.input === basename(run.manifest);
