import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worklist } from "../../agent/worklist.ts";
import { Journal } from "../../lib/run/journal.ts";
import { ShardRecords } from "../../lib/shard/records.ts";

/** A worklist of records with these keys, none of which is proven. */
export async function worklistOf(
  dir: string,
  keys: readonly string[],
  onProven?: ConstructorParameters<typeof Worklist>[2],
) {
  const own = mkdtempSync(join(dir, "shard "));
  const roots = { source_root: "/in", dest_root: "/out" };
  const lines = keys.map((path) =>
    JSON.stringify({
      ...{ schema: "xfer.manifest.v1", run_id: "20260101T000000Z_abcdef", ...roots },
      ...{ source: `/in/${path}`, dest: `/out/${path}`, path, size: 1, mtime: null },
      ...{ hashes: null, etag: null, storage_class: null, meta: null },
    }),
  );
  const path = join(own, "records");
  writeFileSync(path, `${lines.join("\n")}\n`);
  const records = await ShardRecords.read(path, keys.length);
  const journal = new Journal(join(own, "journal"), { sha256: "a".repeat(64), records: keys.length, roots });
  return { records, journal, worklist: new Worklist(records, journal, onProven) };
}
