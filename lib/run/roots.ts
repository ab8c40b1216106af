import { join } from "node:path";
import { readFirstRecord } from "../manifest/read.ts";
import { type ShardsMeta, shardFileName } from "../shard/meta.ts";
import { invalidInput } from "../system/errors.ts";
import type { RunLayout } from "./layout.ts";
import type { DoneState } from "./state/done.ts";
import type { StateFile } from "./state/state-file.ts";

/** The roots that a run copies from and to. Its manifest, its configuration and its state name them. */
export interface Roots {
  source_root: string;
  dest_root: string;
}

/** The roots of a run's shards, from shards.meta.json. An earlier build's names none: the first record does. */
export async function rootsOfShards(run: RunLayout, meta: ShardsMeta): Promise<Roots> {
  const { source_root, dest_root } = meta;
  if (source_root !== undefined && dest_root !== undefined) return { source_root, dest_root };
  const shard = meta.shards.findIndex(({ records }) => records > 0);
  if (shard === -1) throw invalidInput(`${run.shardsMeta}: no shard has a record: shard the manifest again`);
  return readFirstRecord(join(run.shardsDir, shardFileName(shard)));
}

/** A file, or something else, that names roots. */
interface Named {
  path: string;
  roots: Roots;
}

/** Throws invalid input, naming both sides and their roots, when their roots differ. `advice` says what to do then. */
export function requireSameRoots(one: Named, other: Named, advice: string): void {
  for (const [name, field] of [
    ["source", "source_root"],
    ["destination", "dest_root"],
  ] as const) {
    if (one.roots[field] === other.roots[field]) continue;
    throw invalidInput(
      `${one.path} has the ${name} ${one.roots[field]}, but ${other.path} has ${other.roots[field]}: ${advice}`,
    );
  }
}

/** Throws invalid input when a .done is of a copy between other roots than the shards'. */
export function checkDoneRoots(path: string, done: StateFile<DoneState>, shards: Named): void {
  if (done.kind !== "value") return;
  const { source_root, dest_root } = done.value;
  if (source_root === undefined || dest_root === undefined) return;
  requireSameRoots({ path, roots: { source_root, dest_root } }, shards, "use a new run directory");
}
