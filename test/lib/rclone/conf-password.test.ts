import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasConfPassword, isEncryptedConf } from "../../../lib/rclone/conf-password.ts";

const encrypted = readFileSync(join(import.meta.dir, "..", "..", "data", "rclone.encrypted.conf"), "utf8");

describe("an encrypted rclone.conf", () => {
  test.each([
    ["as rclone writes it", encrypted, true],
    ["without its comment, after a byte order mark", `\uFEFF${encrypted.replace(/^#.*\n/, "")}`, true],
    ["of a later form", "RCLONE_ENCRYPT_V1:\nabc\n", true],
    ["a plain one", "[s3]\ntype = s3\n", false],
    ["a plain one that tells of encryption", "# RCLONE_ENCRYPT_V0:\n[s3]\ntype = s3\n", false],
    ["an empty one", "", false],
  ] as const)("%s", (_, text, expected) => {
    expect(isEncryptedConf(text)).toBe(expected);
  });

  test.each([
    [{}, [], false],
    [{ RCLONE_CONFIG_PASS: "" }, ["--transfers", "4"], false],
    [{ RCLONE_CONFIG_PASS: "x" }, [], true],
    [{ RCLONE_PASSWORD_COMMAND: "pass rclone" }, [], true],
    [{}, ["--password-command", "pass rclone"], true],
    [{}, ["--password-command=pass rclone"], true],
  ] as [Record<string, string>, string[], boolean][])(
    "its password, of %j and %j",
    (env, flags, expected) => {
      expect(hasConfPassword({ env, flags })).toBe(expected);
    },
  );
});
