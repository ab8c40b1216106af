import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRemotes, type Remotes } from "../rclone/remote.ts";

/** The remotes of an rclone.conf, or of rclone's default one; a file that cannot be read has none. */
export function readRemotes(configPath: string | undefined): Remotes {
  try {
    return parseRemotes(readFileSync(configPath ?? defaultConfigPath(), "utf8"));
  } catch {
    return new Map();
  }
}

/** Where rclone looks by default: https://rclone.org/docs/#config-config-file */
function defaultConfigPath(): string {
  const { RCLONE_CONFIG, XDG_CONFIG_HOME, HOME = "" } = process.env;
  return RCLONE_CONFIG ?? join(XDG_CONFIG_HOME ?? join(HOME, ".config"), "rclone", "rclone.conf");
}
