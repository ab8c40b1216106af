import { rcloneVariables, stepEnvironment, wrapCommand } from "../rclone/runtime.ts";
import { runProgram } from "../system/process.ts";
import type { RunConfig } from "./config.ts";
import { mountsFor } from "./mounts.ts";
import { remoteContext } from "./remotes.ts";

/** Where the list of keys lies in a container. */
const keysInContainer = "/xfer.keys";

/** One rclone command of a run, before its runtime is put around it. */
export interface Step {
  /** Makes rclone's argument vector from where it sees rclone.conf and the list of keys. */
  argv: (seen: { configPath: string | undefined; keys: string }) => string[];
  readOnly: readonly string[];
  writable: readonly string[];
  /** A file of this host that holds keys. */
  keys?: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** The command line of one rclone step, as the run's runtime runs it. Throws invalid input for unmountable paths. */
export function stepCommand(config: RunConfig, step: Step): string[] {
  const { runtime } = config;
  const inContainer = runtime !== "host";
  const configPath = config.rclone_config ?? undefined;
  const argv = step.argv({
    configPath: inContainer && configPath !== undefined ? config.rclone_conf_in_container : configPath,
    keys: inContainer ? keysInContainer : (step.keys ?? ""),
  });
  return wrapCommand(argv, {
    runtime,
    image: config.rclone_image ?? undefined,
    mounts: mountsFor({
      runtime,
      configPath,
      confInContainer: config.rclone_conf_in_container,
      readOnly: step.readOnly,
      context: remoteContext(configPath, runtime),
      writable: step.writable,
      keys: step.keys === undefined ? undefined : { source: step.keys, target: keysInContainer },
    }),
    cpus: config.cpus_per_task,
    pyxisExtra: config.pyxis_extra,
    keepFromImage: rcloneVariables(step.env),
  });
}

/** Runs one rclone step of a run to its end and returns what it printed. */
export function runStep(config: RunConfig, step: Step, options: { timeoutMs?: number } = {}) {
  const env = stepEnvironment(config.runtime, process.env);
  return runProgram(stepCommand(config, step), { env, ...options });
}
