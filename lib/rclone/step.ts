import { runProgram } from "../system/process.ts";
import { remoteContext } from "./conf.ts";
import { mountsFor } from "./mounts.ts";
import type { RcloneReach } from "./reach.ts";
import { rcloneVariables, stepEnvironment, wrapCommand } from "./runtime.ts";

/** The path of the list of keys in a container. */
const keysInContainer = "/xfer.keys";

/** One rclone command, before its runtime is put around it. */
export interface Step {
  /** Makes rclone's argument vector from the paths at which rclone sees rclone.conf and the list of keys. */
  argv: (seen: { configPath: string | undefined; keys: string }) => string[];
  /** Roots that a container has to see, and that rclone only reads. */
  readOnly: readonly string[];
  /** Roots that a container has to see, and that rclone writes to. */
  writable: readonly string[];
  /** The file of this host that lists keys, if there is one. */
  keys?: string;
  /** CPUs of the step, under pyxis. */
  cpus: number;
  /** The environment of the process that runs the step. */
  env: Readonly<Record<string, string | undefined>>;
}

/** The command line of one rclone step, as its runtime runs it. Throws invalid input for paths that cannot be mounted. */
export function stepCommand(reach: RcloneReach, step: Step): string[] {
  const { runtime, image, configPath, confInContainer, pyxisExtra } = reach;
  const inContainer = runtime !== "host";
  const argv = step.argv({
    configPath: inContainer && configPath !== undefined ? confInContainer : configPath,
    keys: inContainer ? keysInContainer : (step.keys ?? ""),
  });
  return wrapCommand(argv, {
    runtime,
    image,
    mounts: mountsFor({
      runtime,
      configPath,
      confInContainer,
      readOnly: step.readOnly,
      context: remoteContext(configPath, runtime),
      writable: step.writable,
      keys: step.keys === undefined ? undefined : { source: step.keys, target: keysInContainer },
    }),
    cpus: step.cpus,
    pyxisExtra,
    keepFromImage: rcloneVariables(step.env),
  });
}

/** Runs one rclone step to its end and returns what it printed. */
export function runStep(reach: RcloneReach, step: Step, options: { timeoutMs?: number } = {}) {
  const env = stepEnvironment(reach.runtime, step.env);
  return runProgram(stepCommand(reach, step), { env, ...options });
}
