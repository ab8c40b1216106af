import type { ShardsMeta } from "../../lib/shard/meta.ts";
import { formatBytes, formatObjects, formatShards } from "../../lib/system/units.ts";

/** What a manifest was cut into, in one line. */
export function shardsText(outdir: string, { num_shards, num_records, bytes_total }: ShardsMeta): string {
  const what = `${formatObjects(num_records)}, ${formatBytes(bytes_total)}`;
  return `${outdir}: ${formatShards(num_shards)} of ${what}\n`;
}

/** The content of shards.meta.json, with the names that all commands have for the same things. */
export function shardsJson(meta: ShardsMeta) {
  return { ...meta, objects: meta.num_records, bytes: meta.bytes_total };
}
