import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRemoteTypes } from "../rclone/remote.ts";

/** The types of the remotes in an rclone.conf, or in rclone's default one; a file that cannot be read tells none. */
export function readRemoteTypes(configPath: string | undefined): Map<string, string> {
  try {
    return parseRemoteTypes(readFileSync(configPath ?? defaultConfigPath(), "utf8"));
  } catch {
    return new Map();
  }
}

/** Where rclone looks by default: https://rclone.org/docs/#config-config-file */
function defaultConfigPath(): string {
  const { RCLONE_CONFIG, XDG_CONFIG_HOME, HOME = "" } = process.env;
  return RCLONE_CONFIG ?? join(XDG_CONFIG_HOME ?? join(HOME, ".config"), "rclone", "rclone.conf");
}
