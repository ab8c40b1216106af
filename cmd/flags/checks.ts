import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { requireConfPassword } from "../../lib/rclone/conf-password.ts";
import type { RuntimeName } from "../../lib/rclone/runtime.ts";
import { errnoOf, invalidInput } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { requireFolder } from "../../lib/system/writable.ts";

/**
 * Looks at the rclone.conf that the user names. Missing is invalid input where rclone runs on this host, and a warning
 * where it runs on a node that may see other paths; others being able to read it is a warning.
 */
export function checkRcloneConfig(path: string | undefined, runsHere: boolean): void {
  if (path === undefined) return;
  if (!existsSync(path)) {
    const text = `--rclone-config: ${path}: no such file`;
    if (runsHere) throw invalidInput(`${text} ("rclone config" makes one)`);
    log.warn(`${text} here; it must be there on the compute nodes`);
    return;
  }
  checkNoFolder("--rclone-config", path);
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    const text = `--rclone-config: ${path} cannot be read (${errnoOf(error)})`;
    if (runsHere) throw invalidInput(text);
    log.warn(`${text} here; it must be readable on the compute nodes`);
  }
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    log.warn(`${path} holds credentials and others can read it (mode ${mode.toString(8)}): chmod 600 it`);
  }
}

/** Throws invalid input when a listing could not read its rclone.conf, for want of a password. */
export function requireListingPassword(
  input: { "rclone-config"?: string | undefined; "extra-lsjson-flags": readonly string[] },
  runtime: RuntimeName,
): void {
  requireConfPassword({ configPath: input["rclone-config"], runtime, flags: input["extra-lsjson-flags"] });
}

/** Throws invalid input when a folder is where a file is wanted. */
export function checkNoFolder(flag: string, path: string): void {
  if (existsSync(path) && statSync(path).isDirectory())
    throw invalidInput(`${flag}: ${path}: is a folder: a file is wanted`);
}

/** Throws invalid input when a file that may be there already is a folder, or its own folder is none or is shut. */
export function checkResultFile(flag: string, path: string): void {
  checkNoFolder(flag, path);
  requireFolder(flag, dirname(path));
}

/**
 * Throws invalid input when a file cannot be written: it is there already, is the one of another flag, lies below another
 * file, or its folder is shut.
 */
export function checkNewFile(flag: string, path: string, other?: string): void {
  if (existsSync(path)) {
    throw invalidInput(`${flag}: ${path} is there already: a manifest is immutable, choose another name`);
  }
  if (other !== undefined && resolve(path) === resolve(other)) {
    throw invalidInput(`${flag}: ${path} is written by another flag too: choose another name`);
  }
  requireFolder(flag, dirname(path));
}
