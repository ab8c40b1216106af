import { isAbsolute, resolve } from "node:path";
import { childEnvironment } from "../system/process.ts";
import { refusedVariables } from "./flag-variables.ts";

/** How rclone is reached: in a pyxis container through srun, in an apptainer container, or from PATH. */
export const runtimeNames = ["pyxis", "apptainer", "host"] as const;

export type RuntimeName = (typeof runtimeNames)[number];

/** A host path that a container sees. */
export interface Mount {
  source: string;
  target: string;
  writable: boolean;
}

/** How a runtime runs an rclone command line. */
export interface RuntimeOptions {
  runtime: RuntimeName;
  image: string | undefined;
  mounts: readonly Mount[];
  /** CPUs for the step, under pyxis: srun does not inherit sbatch's --cpus-per-task in 22.05 (srun(1)). */
  cpus: number | undefined;
  /** Variables that must win over the image's own of the same name, under pyxis. */
  keepFromImage: readonly string[];
  /** More words for srun, under pyxis. */
  pyxisExtra: readonly string[];
}

/**
 * Puts a runtime around an rclone command line. Paths that a runtime cannot mount are found by `mountProblem`, not here.
 *
 * apptainer: `exec` runs no runscript and binds by `src:dest:opts` in the given order. Destinations that the image lacks
 * are made by its underlay or overlay, on by default. It ends with rclone's code, or with 255 after a line that starts with
 * FATAL.
 *
 * pyxis: of several --container-mounts, or --container-env, only the last counts. The user's values are therefore joined to
 * xfer's. --export=ALL makes up for the SLURM_EXPORT_ENV=NONE that `sbatch --export=NONE` leaves behind.
 */
export function wrapCommand(rcloneArgv: readonly string[], options: RuntimeOptions): string[] {
  const { runtime, image, mounts, cpus, keepFromImage, pyxisExtra } = options;
  if (runtime === "host" || image === undefined) return [...rcloneArgv];
  if (runtime === "apptainer") {
    const binds = mounts.flatMap(({ source, target, writable }) => [
      "--bind",
      `${source}:${target}:${writable ? "rw" : "ro"}`,
    ]);
    return ["apptainer", "exec", ...binds, image, ...rcloneArgv];
  }
  const userList = (name: string) =>
    pyxisExtra.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
  const spec = [
    ...mounts.map(({ source, target, writable }) => `${source}:${target}:${writable ? "rw" : "ro"}`),
    ...userList("--container-mounts"),
  ];
  const kept = [...keepFromImage, ...userList("--container-env")];
  return [
    "srun",
    "--export=ALL",
    "-n",
    "1",
    ...(cpus === undefined ? [] : ["-c", String(cpus)]),
    `--container-image=${image}`,
    ...(spec.length > 0 ? [`--container-mounts=${spec.join(",")}`] : []),
    ...(kept.length > 0 ? [`--container-env=${kept.join(",")}`] : []),
    ...pyxisExtra.filter((word) => !/^--container-(?:mounts|env)=/.test(word)),
    ...rcloneArgv,
  ];
}

/**
 * The name of an image that means the same in every directory. A local file becomes an absolute path, since tasks start in
 * another directory and pyxis looks a bare name up on a registry. References to a registry stay as they are.
 */
export function absoluteImage(image: string, runtime: RuntimeName, cwd: string): string {
  if (isAbsolute(image) || /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(image)) return image;
  const isFile = /\.(?:sqsh|squashfs|sif)$/.test(image) || /^\.\.?\//.test(image);
  // Without a scheme apptainer knows only local files and folders.
  return isFile || runtime === "apptainer" ? resolve(cwd, image) : image;
}

/** Why a path cannot be mounted by this runtime, or undefined when it can: mount lists have no escape for `,` and `:`. */
export function mountProblem(path: string, runtime: RuntimeName): string | undefined {
  if (runtime === "host" || !/[,:]/.test(path)) return undefined;
  return `a path with a comma or a colon cannot be mounted by ${runtime}: ${path}`;
}

/**
 * The environment of the process that runs a step: `env` without the variables that would break the account of every object
 * (`refusedVariables`). Under apptainer an image's own variables win over the host's, and APPTAINERENV_ variables win over
 * both; rclone's variables are passed on by those. apptainer evaluates their values as a shell does. A value with `$`, a
 * quote or the like is therefore left as a plain variable of the host.
 */
export function stepEnvironment(
  runtime: RuntimeName,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const step = childEnvironment(env);
  for (const name of refusedVariables(env).keys()) delete step[name];
  if (runtime !== "apptainer") return step;
  const pairs = rcloneVariables(step).map((name) => [`APPTAINERENV_${name}`, step[name] ?? ""] as const);
  return { ...step, ...Object.fromEntries(pairs.filter(([, value]) => !/[$`"\\\n]/.test(value))) };
}

/** The names of the variables that configure rclone, over which an image's ENV must not win. */
export function rcloneVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const refused = refusedVariables(env);
  return Object.keys(env).filter((name) => /^RCLONE_[A-Z0-9_]+$/.test(name) && !refused.has(name));
}
