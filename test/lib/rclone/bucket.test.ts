import { expect, test } from "bun:test";
import { bucketOf, makesBucketFlags } from "../../../lib/rclone/bucket.ts";
import { parseRemotes } from "../../../lib/rclone/rclone-conf.ts";

const conf = `
[s]
type = s3
[g]
type = google cloud storage
[a]
type = azureblob
[b]
type = b2
[al]
type = alias
remote = s:deep/er
[top]
type = alias
remote = s:
[cr]
type = crypt
remote = al:x
[loop]
type = alias
remote = loop:x
[un]
type = union
upstreams = s:one s:two
[ssh]
type = sftp
`;
const context = { remotes: parseRemotes(conf), env: {}, flags: new Map<string, string>() };

test.each([
  ["s:data/set", "data", ["--s3-no-check-bucket=false"]],
  ["s:/data", "data", ["--s3-no-check-bucket=false"]],
  [":s3,provider=Minio:data", "data", ["--s3-no-check-bucket=false"]],
  ["g:data", "data", ["--gcs-no-check-bucket=false"]],
  ["a:data/x", "data", ["--azureblob-no-check-container=false"]],
  ["b:data", "data", []],
  ["al:", "deep", ["--s3-no-check-bucket=false"]],
  ["al:more", "deep", ["--s3-no-check-bucket=false"]],
  ["top:data/set", "data", ["--s3-no-check-bucket=false"]],
  ["cr:secret", "deep", ["--s3-no-check-bucket=false"]],
  ["s:", undefined, []],
  ["top:", undefined, []],
  ["loop:", undefined, []],
  ["un:x", undefined, []],
  ["ssh:data", undefined, []],
  ["nowhere:data", undefined, []],
  ["/data/set", undefined, []],
] as [string, string | undefined, string[]][])("the bucket of %s is %p", (root, name, flags) => {
  const bucket = bucketOf(root, context);
  expect(bucket?.name).toBe(name as string);
  expect(makesBucketFlags(bucket)).toEqual(flags);
});
