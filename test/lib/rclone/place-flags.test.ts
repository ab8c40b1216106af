import { expect, test } from "bun:test";
import { placeFlags } from "../../../lib/rclone/place-flags.ts";

test.each([
  ["--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20", "--low-level-retries 20"],
  ["--no-check-certificate --update", "--no-check-certificate"],
  ["--s3-endpoint http://x --exclude *.tmp", "--s3-endpoint http://x"],
  [
    "--s3-endpoint=http://x --s3-force-path-style=false -c",
    "--s3-endpoint=http://x --s3-force-path-style=false",
  ],
  ["--s3-force-path-style -v --s3-upload-concurrency -1", "--s3-force-path-style --s3-upload-concurrency -1"],
  ["--max-size 5G --include a/**", ""],
  ["-L --size-only", "-L"],
  ["--ignore-existing --s3fs-x 1", ""],
])("of %s a listing of the place takes: %s", (words, kept) => {
  expect(placeFlags(words.split(" "))).toEqual(kept === "" ? [] : kept.split(" "));
});
