import { expect, test } from "bun:test";
import { listChunk } from "../../../lib/rclone/list-chunk.ts";
import { parseSize } from "../../../lib/rclone/sizes.ts";

test.each<[string, number | undefined]>([
  ["0", 0],
  ["1", 1_024],
  ["1b", 1],
  ["512B", 512],
  ["1k", 1_024],
  ["1Ki", 1_024],
  ["1KiB", 1_024],
  ["5M", 5 * 1_024 ** 2],
  ["0.5G", 512 * 1_024 ** 2],
  ["2T", 2 * 1_024 ** 4],
  ["1P", 1_024 ** 5],
  ["off", 0],
  ["", undefined],
  ["-1", undefined],
  ["1 M", undefined],
  ["1X", undefined],
  ["M", undefined],
  ["1e3", undefined],
])("rclone's size %j is %p bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes as number);
});

/** [flags, environment, objects] */
test.each<[string[], Record<string, string>, number]>([
  [[], {}, 1_000],
  [["--s3-list-chunk", "100"], {}, 100],
  [["--s3-list-chunk=100", "--s3-list-chunk=200"], {}, 200],
  [["--s3-list-chunk", "5000"], {}, 1_000],
  [["--s3-list-chunk", "0"], {}, 1_000],
  [["--s3-list-chunk", "many"], {}, 1_000],
  [["--fast-list"], { RCLONE_S3_LIST_CHUNK: "10" }, 10],
  [["--s3-list-chunk", "100"], { RCLONE_S3_LIST_CHUNK: "10" }, 100],
])("a LIST with %j and %j answers with at most %d objects", (words, env, objects) => {
  expect(listChunk(words, env)).toBe(objects);
});
