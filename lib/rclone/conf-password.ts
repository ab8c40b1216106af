import { readFileSync } from "node:fs";
import { invalidInput } from "../system/errors.ts";
import { confPathHere } from "./conf.ts";
import type { RuntimeName } from "./runtime.ts";

/** Whether an rclone.conf is encrypted, which its first line that is no comment says (rclone's fs/config/crypt.go). */
export function isEncryptedConf(conf: string): boolean {
  const first = conf
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "" && !/^[#;]/.test(line));
  return first?.startsWith("RCLONE_ENCRYPT_") ?? false;
}

/** The places from which rclone can get the password of its rclone.conf. */
interface PasswordSources {
  env: Readonly<Record<string, string | undefined>>;
  /** The user's flags for that rclone, as words. */
  flags: readonly string[];
}

/** Whether rclone is told the password of its rclone.conf, or how to get it. Nobody is ever asked for the password. */
export function hasConfPassword({ env, flags }: PasswordSources): boolean {
  if (env.RCLONE_CONFIG_PASS || env.RCLONE_PASSWORD_COMMAND) return true;
  return flags.some((word) => /^--password-command(?:=|$)/.test(word));
}

/** The rclone that is to read an rclone.conf. */
interface ConfUse {
  configPath: string | undefined;
  runtime: RuntimeName;
  /** The user's flags for that rclone, as words. */
  flags: readonly string[];
}

/**
 * Throws invalid input when the rclone that this process starts could not read its rclone.conf, since the file is
 * encrypted and nothing tells the password.
 */
export function requireConfPassword(use: ConfUse): void {
  const path = encryptedConf(use);
  if (path === undefined || hasConfPassword({ env: process.env, flags: use.flags })) return;
  throw invalidInput(
    `${path} is encrypted and nobody is asked for its password: set RCLONE_CONFIG_PASS or RCLONE_PASSWORD_COMMAND in the ` +
      "environment, or remove the password (rclone config)",
  );
}

/** Why the tasks of an array could not read their rclone.conf; undefined when they can, as far as this host knows. */
export function arrayPasswordProblem(use: ConfUse): string | undefined {
  const path = encryptedConf(use);
  if (path === undefined || hasConfPassword({ env: {}, flags: use.flags })) return undefined;
  return (
    `${path} is encrypted, and the array's tasks would not have its password: it is submitted with --export=NONE, which ` +
    "keeps RCLONE_CONFIG_PASS from them: remove the password (rclone config), add --password-command to --rclone-flags, " +
    "or submit with the run directory's submit.sh --export=ALL"
  );
}

/** The path of the rclone.conf, if the file is on this host and encrypted. */
function encryptedConf({ configPath, runtime }: ConfUse): string | undefined {
  const path = confPathHere(configPath, runtime);
  if (path === undefined) return undefined;
  try {
    return isEncryptedConf(readFileSync(path, "utf8")) ? path : undefined;
  } catch {
    // The file is missing or may not be read. rclone says so itself, or needs none.
    return undefined;
  }
}
