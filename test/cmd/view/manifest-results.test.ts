import { expect, test } from "bun:test";
import { builtJson, builtText, leftOutText, listingText } from "../../../cmd/view/built.ts";
import { deltaJson, deltaLine } from "../../../cmd/view/delta.ts";
import { doingText, readingText } from "../../../cmd/view/doing.ts";
import { rebasedJson, rebasedText } from "../../../cmd/view/rebased.ts";
import { shardsJson, shardsText } from "../../../cmd/view/shards.ts";
import type { Delta } from "../../../lib/compare/delta.ts";
import type { ShardsMeta } from "../../../lib/shard/meta.ts";

/** What the commands print that make a manifest or cut one: the same words, and in JSON the same names. */

const built = {
  objects: 1_500,
  bytes: 3 * 1024 ** 2,
  untransferable: { objects: 2, bytes: 0, examples: [] },
};
const delta: Delta = {
  ...{ schema: "xfer.delta.v1", manifest: "m.jsonl", out: "d.jsonl", dest_root: "dst:b", compare: "size" },
  ...{ new: 2, changed: 1, same: 1_000, extra: 0, not_comparable: 0, bytes: 2_048, same_bytes: 7 },
};
const meta: ShardsMeta = {
  ...{ schema: "xfer.shards.v1", input: "m.jsonl", outdir: "s", num_shards: 1, strategy: "bytes" },
  ...{ num_records: 1_500, bytes_total: 2_048, created_at: "", shards: [] },
};

test.each([
  [builtText("m.jsonl", built), "m.jsonl: 1,500 objects, 3.0 MiB\n"],
  [builtText("m.jsonl", { objects: 1, bytes: 0 }), "m.jsonl: 1 object, 0 B\n"],
  [listingText({ objects: 1_500, bytes: 2_048 }), "listing: 1,500 objects, 2.0 KiB"],
  [leftOutText("delete markers", 1_200), "left out: 1,200 delete markers"],
  [shardsText("s", meta), "s: 1 shard of 1,500 objects, 2.0 KiB\n"],
  [shardsText("s", { ...meta, num_shards: 12 }), "s: 12 shards of 1,500 objects, 2.0 KiB\n"],
  [deltaLine("d.jsonl", delta), "d.jsonl: 2 new, 1 changed, 1,000 same, 0 extra; 2.0 KiB to copy\n"],
  [rebasedText("r.jsonl", 1_500), "r.jsonl: 1,500 objects\n"],
  [doingText("listing the destination", 2_000), "listing the destination: 2,000 objects"],
  [readingText("sharding", { bytes: 1_024, bytesTotal: 4_096 }), "sharding: 1.0 KiB of 4.0 KiB (25%)"],
  [readingText("sharding", { bytes: 1_024, bytesTotal: 0 }), "sharding: 1.0 KiB"],
])("%j", (text, expected) => expect(text).toBe(expected));

test("JSON has a schema, and objects and bytes under these names", () => {
  expect(builtJson("m.jsonl", "r1", built)).toEqual({
    ...{ schema: "xfer.build.v1", manifest: "m.jsonl", run_id: "r1", objects: 1_500, bytes: 3 * 1024 ** 2 },
    untransferable: { objects: 2, bytes: 0 },
  });
  expect(shardsJson(meta)).toEqual({ ...meta, objects: 1_500, bytes: 2_048 });
  expect(deltaJson(delta)).toEqual({ ...delta, objects: 3 });
  expect(rebasedJson("r.jsonl", 7)).toEqual({ schema: "xfer.rebase.v1", manifest: "r.jsonl", objects: 7 });
});
