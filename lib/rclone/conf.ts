import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../system/errors.ts";
import { parseRemotes, Remotes } from "./rclone-conf.ts";
import type { RemoteContext } from "./remote-options.ts";
import type { RuntimeName } from "./runtime.ts";

type Environment = RemoteContext["env"];

/**
 * The remotes of an rclone.conf, or of rclone's default one. The remotes are not certain where the file cannot be read on
 * this host, or where a container may have a default of its own.
 */
export function readRemotes(
  configPath: string | undefined,
  runtime: RuntimeName = "host",
  env: Environment = process.env,
): Remotes {
  const path = configPath ?? defaultConfigPath(env);
  if (path === undefined) return new Remotes(true);
  try {
    const remotes = parseRemotes(readFileSync(path, "utf8"));
    if (configPath === undefined && runtime !== "host") remotes.certain = false;
    remotes.file = { path, exists: true };
    return remotes;
  } catch (error) {
    // Without a default file rclone has no remotes.
    const remotes = new Remotes(
      configPath === undefined && runtime === "host" && errnoOf(error) === "ENOENT",
    );
    remotes.file = { path, exists: false };
    return remotes;
  }
}

/** The path of the rclone.conf that rclone reads; undefined where a container may have a default of its own. */
export function confPathHere(configPath: string | undefined, runtime: RuntimeName): string | undefined {
  return configPath ?? (runtime === "host" ? defaultConfigPath(process.env) : undefined);
}

/** The facts that decide how rclone reaches remotes when this process starts it. */
export function remoteContext(
  configPath: string | undefined,
  runtime: RuntimeName,
  flags: ReadonlyMap<string, string> = new Map(),
  env: Environment = process.env,
): RemoteContext {
  return { remotes: readRemotes(configPath, runtime, env), env, flags };
}

/**
 * The path at which rclone looks by default (https://rclone.org/docs/#config-config-file); undefined for a configuration
 * that is only in memory.
 */
function defaultConfigPath(env: Environment): string | undefined {
  const { RCLONE_CONFIG, XDG_CONFIG_HOME, HOME = "" } = env;
  if (RCLONE_CONFIG !== undefined) return RCLONE_CONFIG === "" ? undefined : RCLONE_CONFIG;
  const program = Bun.which("rclone");
  const places = [
    ...(program ? [join(program, "..", "rclone.conf")] : []),
    ...(XDG_CONFIG_HOME ? [join(XDG_CONFIG_HOME, "rclone", "rclone.conf")] : []),
    join(HOME, ".config", "rclone", "rclone.conf"),
    join(HOME, ".rclone.conf"),
  ];
  return places.find((path) => existsSync(path)) ?? places.at(-2);
}
