import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChecksumMode } from "../../../lib/compare/verify-rule.ts";
import type { RootKind } from "../../../lib/rclone/root.ts";
import type { RunConfig } from "../../../lib/run/config.ts";
import { listsHashes, readVerification, type Verification } from "../../../lib/verify/verification.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const verification: Verification = {
  schema: "xfer.verify.v1",
  checksum: "auto",
  dest_root: "dst:b",
  listed: { objects: 10, bytes: 100 },
  hash_proven: 6,
  size_only: 1,
  missing: 2,
  differs: 1,
  sampled: 0,
  sampled_differs: 0,
  extra: null,
  untransferable: { objects: 1, bytes: 5 },
  metadata_compared: false,
  verified: false,
  failures: [{ path: "a\n\u{1f600}", verdict: "missing", reason: "not at the destination" }],
  manifest_sha256: "a".repeat(64),
  verified_at: "2026-11-25T08:00:00.000Z",
  xfer_version: "0.1.0",
  rclone_version: null,
};

/** What is read of a verify.json with this content. */
function read(content: string): Verification | undefined {
  using dir = temporaryDirectory();
  const path = join(dir.path, "verify.json");
  writeFileSync(path, content);
  return readVerification(path);
}

test("a verification is read as it was written; of an earlier build's the fields that it lacks are nothing", () => {
  expect(read(`${JSON.stringify(verification, null, 1)}\n`)).toEqual(verification);
  const { untransferable, metadata_compared, failures, ...earlier } = verification;
  expect(read(JSON.stringify(earlier))).toEqual({
    ...earlier,
    untransferable: { objects: 0, bytes: 0 },
    metadata_compared: false,
    failures: [],
  });
});

test.each<[string, string]>([
  ["empty", ""],
  ["torn", JSON.stringify(verification).slice(0, 100)],
  ["of another schema", JSON.stringify({ ...verification, schema: "xfer.verify.v2" })],
  ["without its verdict", JSON.stringify({ ...verification, verified: undefined })],
  ["with a number that is none", JSON.stringify({ ...verification, missing: -1 })],
  ["that compared what this one cannot", JSON.stringify({ ...verification, metadata_compared: true })],
  [
    "with a verdict that is not known",
    JSON.stringify({ ...verification, failures: [{ path: "a", verdict: "odd", reason: "" }] }),
  ],
])("a verification %s counts for nothing", (_, content) => {
  expect(read(content)).toBeUndefined();
});

test("no file is no verification", () => {
  expect(readVerification("/nowhere/verify.json")).toBeUndefined();
});

const conf = `
[plain]
type = s3
endpoint = http://s3.example
[kms]
type = s3
server_side_encryption = aws:kms
`;

/** Whether hashes are listed where they are compared if known, required, or not looked at. */
test.each<[string, RootKind, string, boolean, boolean, boolean]>([
  ["an object store", "s3", "plain:b", true, true, false],
  ["an object store whose ETags are no MD5", "s3", "kms:b", false, true, false],
  ["a file system: each hash reads a file", "posix", "/out", false, true, false],
  ["another place", "other", "sftp:x", false, true, false],
])("hashes of %s are listed", (_, kind, destRoot, auto, required, off) => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "rclone.conf");
  writeFileSync(path, conf);
  const config = {
    rclone_flags: [] as string[],
    rclone_config: path,
    runtime: "host",
    dest_root: destRoot,
  } as Partial<RunConfig> as RunConfig;
  const listed = (["auto", "require", "off"] as ChecksumMode[]).map((mode) =>
    listsHashes(mode, config, kind),
  );
  expect(listed).toEqual([auto, required, off]);
});
