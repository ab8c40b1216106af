import { requireConfPassword } from "../rclone/conf-password.ts";
import { notShownText, sortUserFlags } from "../rclone/user-flags.ts";
import type { RunConfig } from "../run/config.ts";
import { invalidInput } from "../system/errors.ts";

/** What a run is told anew when shards of it are tried again; undefined for what stays. */
export interface ConfigChange {
  maxAttempts: number | undefined;
  rcloneFlags: readonly string[] | undefined;
}

/**
 * The configuration of a run with this change. It warns of flags that rclone does not get. Throws invalid input, as a
 * rendering would, for flags with which the run could not be accounted for.
 */
export function changedConfig(
  config: RunConfig,
  { maxAttempts, rcloneFlags }: ConfigChange,
  env: Readonly<Record<string, string | undefined>> = {},
): { config: RunConfig; warning: string | undefined } {
  const flags = [...(rcloneFlags ?? config.rclone_flags)];
  const { given, notShown } = sortUserFlags(flags, env);
  const said = given.get("metadata");
  if (config.metadata !== "auto" && said !== undefined && (said === "true") !== (config.metadata === "on")) {
    throw invalidInput(
      `--rclone-flags: --metadata=${said}: the run was rendered with --${config.metadata === "on" ? "" : "no-"}metadata`,
    );
  }
  const changed = { ...config, rclone_flags: flags, max_attempts: maxAttempts ?? config.max_attempts };
  return { config: changed, warning: notShownText("--rclone-flags", rcloneFlags ? notShown : []) };
}

/** Throws invalid input when agents on this machine could not read their rclone.conf. */
export function requireConfHere({ rclone_config, runtime, rclone_flags: flags }: RunConfig): void {
  requireConfPassword({ configPath: rclone_config ?? undefined, runtime, flags });
}
