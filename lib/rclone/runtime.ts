import { isAbsolute, resolve } from "node:path";
import { childEnvironment } from "../system/process.ts";
import { refusedVariables } from "./user-flags.ts";

/** How rclone is reached: in a pyxis container through srun, in an apptainer container, or from PATH. */
export const runtimeNames = ["pyxis", "apptainer", "host"] as const;

export type RuntimeName = (typeof runtimeNames)[number];

/** A host path that a container sees. */
export interface Mount {
  source: string;
  target: string;
  writable: boolean;
}

/** What it takes to run an rclone command line where the runtime runs it. */
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
 * Puts a runtime around an rclone command line. `apptainer exec` runs no runscript, binds by `src:dest:opts` in the order
 * given, makes destinations that the image lacks by its underlay or overlay (on by default), and ends with rclone's code,
 * or 255 after a line that starts with FATAL. All mounts are in one --container-mounts: of several, pyxis takes only
 * the last, and so it is with --container-env: the user's own are joined to xfer's. --export=ALL makes up for the SLURM_EXPORT_ENV=NONE that `sbatch --export=NONE` leaves behind.
 * Throws nothing: see `mountProblem` for paths that a runtime cannot mount.
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
 * An image as it is named everywhere alike: a local file in the form of an absolute path, since pyxis looks a bare name up
 * on a registry and tasks start in another directory. References to a registry stay as they are.
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
 * The environment of the process that runs a step: this one's, without what xfer's account of every object cannot stand
 * (`refusedVariables`). Under apptainer an image's own variables win over the host's, and those of APPTAINERENV_ over
 * both. It evaluates the values as a shell does, so one with `$`, a quote or the like is left to pass in by itself, as
 * all others of the host do.
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

/** The names of the variables that configure rclone: an image's ENV must not win over the user's. */
export function rcloneVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const refused = refusedVariables(env);
  return Object.keys(env).filter((name) => /^RCLONE_[A-Z0-9_]+$/.test(name) && !refused.has(name));
}
