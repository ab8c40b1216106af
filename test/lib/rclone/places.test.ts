import { describe, expect, test } from "bun:test";
import { type Overlap, overlapOf, placesOf } from "../../../lib/rclone/places.ts";
import { parseRemotes } from "../../../lib/rclone/rclone-conf.ts";
import type { RemoteContext } from "../../../lib/rclone/remote-options.ts";

const remotes = parseRemotes(`
[one]
type = s3
provider = Ceph
endpoint = https://rgw.example:443/
access_key_id = A
[two]
type = s3
provider = Other
endpoint = RGW.example
access_key_id = A
secret_access_key = s
chunk_size = 64M
[tenant]
type = s3
provider = Ceph
endpoint = https://rgw.example
access_key_id = B
[aws]
type = s3
provider = AWS
region = eu-west-1
access_key_id = A
[aws2]
type = s3
endpoint = https://s3.us-east-1.amazonaws.com
access_key_id = B
[china]
type = s3
provider = AWS
region = cn-north-1
[here]
type = local
[nick]
type = alias
remote = one:bucket/base
[nick2]
type = alias
remote = nick:deep/
[data]
type = alias
remote = /data
[secret]
type = crypt
remote = one:bucket/enc
[secret2]
type = crypt
remote = two:bucket/enc
[parts]
type = chunker
remote = one:bucket/parts
[all]
type = combine
upstreams = "a=one:bucket/a" b=two:other
[both]
type = union
upstreams = /data/ro:ro /data/rw
[sftp]
type = sftp
host = h
[sftp2]
type = sftp
host = h
description = the same
`);
const context: RemoteContext = { remotes, env: {}, flags: new Map() };

describe("how source and destination overlap", () => {
  test.each([
    // Paths, and remotes of them.
    ["/data/a", "/data/a", "same"],
    ["/data/a/", "/data/./b/../a", "same"],
    ["/data/a", "/data/a/sub", "dest-inside"],
    ["/data/a/sub", "/data/a", "source-inside"],
    ["/", "/data", "dest-inside"],
    ["/data/a", "/data/ab", undefined],
    ["/data/a", ":local:/data/a/x", "dest-inside"],
    ["here:/data/a", "/data/a", "same"],
    ["data:a", "/data/a/b", "dest-inside"],
    ["data:", "/data", "same"],
    ["/data/a", "one:data/a", undefined],
    // One store.
    ["one:bucket", "one:bucket", "same"],
    ["one:bucket/", "one:/bucket", "same"],
    ["one:bucket/a", "one:bucket/a/b", "dest-inside"],
    ["one:bucket/a/b", "one:bucket/a", "source-inside"],
    ["one:bucket/a", "one:bucket/ab", undefined],
    ["one:bucket", "one:other", undefined],
    ["one:", "one:bucket", "dest-inside"],
    // One store under two names.
    ["one:bucket", "two:bucket/sub", "dest-inside"],
    ["one:bucket", "tenant:bucket", undefined],
    ["aws:bucket", "aws2:bucket", "same"],
    ["aws:bucket", "china:bucket", undefined],
    [":s3,provider=AWS:bucket", "aws:bucket", "same"],
    ["sftp:dir", "sftp2:dir/sub", "dest-inside"],
    // Remotes of remotes.
    ["one:bucket/base", "nick:", "same"],
    ["one:bucket", "nick2:x", "dest-inside"],
    ["two:bucket/base/deep/x", "nick2:", "source-inside"],
    ["nick:a", "nick:b", undefined],
    ["all:a/x", "one:bucket/a", "source-inside"],
    ["all:", "two:other/x", "dest-inside"],
    ["all:b", "one:bucket", undefined],
    ["parts:x", "one:bucket/parts", "source-inside"],
    ["/data/ro", "both:", undefined],
    ["both:", "/data/ro/x", "dest-inside"],
    ["/data", "both:x", "dest-inside"],
    // Names of their own below a known folder.
    ["secret:a", "secret:a", "same"],
    ["secret:a", "secret:b", undefined],
    ["secret:a", "secret2:a", undefined],
    ["one:bucket", "secret:a", "dest-inside"],
    ["secret:a", "one:bucket/enc", "source-inside"],
    ["secret:a", "one:bucket/enc/x", undefined],
    ["secret:", "one:bucket/enc/x", "dest-inside"],
    // What is not known here.
    ["unknown:x", "unknown:x/y", "dest-inside"],
    ["unknown:x", "unknown2:x", undefined],
  ] as [string, string, Overlap | undefined][])("%s to %s", (source, dest, overlap) => {
    const places = [placesOf(source, context, "source"), placesOf(dest, context, "dest")] as const;
    expect(overlapOf(...places)).toBe(overlap);
  });
});
