import { expect, test } from "bun:test";
import { etagsAreNoHashes } from "../../../lib/rclone/free-hashes.ts";
import { parseRemotes } from "../../../lib/rclone/rclone-conf.ts";
import { sortUserFlags } from "../../../lib/rclone/user-flags.ts";

const conf = (...lines: string[]) => `[dst]\ntype = s3\n${lines.join("\n")}\n`;

test.each([
  ["nothing said", conf(), {}, "", undefined],
  ["KMS in rclone.conf", conf("server_side_encryption = aws:kms"), {}, "", "server_side_encryption"],
  ["S3's own keys", conf("server_side_encryption = AES256"), {}, "", undefined],
  ["the user's key", conf("sse_customer_algorithm = AES256"), {}, "", "sse_customer_algorithm"],
  [
    "the remote's variable",
    conf(),
    { RCLONE_CONFIG_DST_SERVER_SIDE_ENCRYPTION: "aws:kms" },
    "",
    "server_side_encryption",
  ],
  ["the backend's variable", conf(), { RCLONE_S3_DIRECTORY_BUCKET: "true" }, "", "directory_bucket"],
  ["a flag", conf(), {}, "-v --s3-server-side-encryption aws:kms", "server_side_encryption"],
  ["a flag with its value", conf(), {}, "--s3-server-side-encryption=aws:kms:dsse", "server_side_encryption"],
  [
    "a flag with another value",
    conf(),
    {},
    "--s3-server-side-encryption=AES256 --user-agent aws:kms",
    undefined,
  ],
  ["no directory bucket", conf("directory_bucket = false"), {}, "", undefined],
] as const)("%s", (_, text, env, flags, option) => {
  const { given } = sortUserFlags(flags.split(" ").filter(Boolean), env);
  const context = { remotes: parseRemotes(text), env, flags: given };
  expect(etagsAreNoHashes("dst:copy", context)).toBe(option);
});

test("a path has no ETags to speak of", () => {
  const env = { RCLONE_S3_SERVER_SIDE_ENCRYPTION: "aws:kms" };
  expect(etagsAreNoHashes("/a", { remotes: parseRemotes(""), env, flags: new Map() })).toBeUndefined();
});
