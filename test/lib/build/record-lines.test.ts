import { expect, test } from "bun:test";
import { RecordLines } from "../../../lib/build/record-lines.ts";
import { parseRecord } from "../../../lib/manifest/record.ts";
import { hostileNames, listedName } from "../../data/hostile-names.ts";

const origin = { runId: 'run "1"', sourceRoot: "src:bucket/a b\\c", destRoot: "/data/ü😀" };

test("the line of a listed object is its record as JSON.stringify writes it", () => {
  const lines = new RecordLines(origin);
  for (const name of [...hostileNames(), "plain", 'has"size":1', "\ud800 lone", "\u2028", "<&>"]) {
    const path = listedName(name);
    const entry = {
      Path: path,
      Size: 5,
      ModTime: "2026-01-02T03:04:05Z",
      Hashes: { md5: "d41d8cd98f00b204e9800998ecf8427e", 'odd"one': "\\" },
      ETag: '"e"',
      Tier: "STANDARD",
    };
    const line = lines.lineOf(entry);
    const record = parseRecord(Buffer.from(line.trimEnd()), "line");
    expect(`${JSON.stringify(record)}\n`).toBe(line);
    expect(record).toMatchObject({
      run_id: origin.runId,
      source_root: origin.sourceRoot,
      dest_root: origin.destRoot,
      source: `${origin.sourceRoot}/${path}`,
      dest: `${origin.destRoot}/${path}`,
      path,
      size: 5,
      mtime: entry.ModTime,
      hashes: entry.Hashes,
      etag: '"e"',
      storage_class: "STANDARD",
      meta: {},
    });
  }
});

test("what rclone does not say is null or empty, and the root of a remote or of a filesystem gets no slash", () => {
  const lines = new RecordLines({ runId: "r", sourceRoot: "src:", destRoot: "/" });
  const record = JSON.parse(lines.lineOf({ Path: "a", Size: 0, ModTime: "" }));
  expect(record).toMatchObject({ source: "src:a", dest: "/a", mtime: null, hashes: {}, etag: null });
  expect(record).toMatchObject({ storage_class: null, meta: {} });
});
