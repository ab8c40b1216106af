import { mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { runtimeNames } from "../rclone/runtime.ts";
import { imageProblem, slurmWordsProblem } from "../rclone/secrets.ts";
import { sbatchExtras } from "../slurm/sbatch-extras.ts";
import { partitionProblem } from "../slurm/values.ts";
import { removeIfExists, replacePrivateFile } from "../system/durable.ts";
import { errnoOf, invalidInput, messageOf } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";

/** The host of a profile for who works on the cluster's login node itself. */
export const localHost = "local";

/** Where run directories are unless a profile says otherwise. */
export const runRootDefault = "~/xfer-runs";

const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "must be letters, digits, _ . and -, at most 64"),
);

/** An absolute path, as every node of the cluster sees it; a leading ~/ is the home at the far end. */
const farPath = v.pipe(
  v.string(),
  v.regex(/^(\/|~\/|~$)[^\n\0]*$/, "must be an absolute path at the cluster, or begin with ~/"),
);

/** A text that is refused when `problemOf` says what is wrong with it. */
function checked(problemOf: (text: string) => string | undefined) {
  return v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const problem = dataset.typed ? problemOf(dataset.value) : undefined;
      if (problem !== undefined) addIssue({ message: problem });
    }),
  );
}

/** Why words for sbatch may not be used, or undefined when they may. */
function extrasProblem(text: string): string | undefined {
  try {
    return slurmWordsProblem(sbatchExtras(text));
  } catch (error) {
    return messageOf(error).replace(/^--sbatch-extras: /, "");
  }
}

/** xfer.cluster.v1: what is known of a cluster. It holds no secret. */
export const profileSchema = v.strictObject({
  schema: v.literal("xfer.cluster.v1"),
  name,
  /** What ssh is given: a host, user@host, or a name of ~/.ssh/config; `local` is this host. */
  host: v.pipe(
    v.string(),
    v.regex(/^[^-\s][^\s]*$/, "must be a host that ssh knows: user@host, or a name of ~/.ssh/config"),
  ),
  /** The folder for run directories and for the binary. */
  run_root: farPath,
  rclone_config: v.optional(farPath),
  partition: v.optional(checked(partitionProblem)),
  image: v.optional(checked(imageProblem)),
  runtime: v.optional(v.picklist(runtimeNames, `must be one of ${runtimeNames.join(", ")}`)),
  account: v.optional(v.pipe(v.string(), v.regex(/^[^-\s][^\s]*$/, "must be the name of an account"))),
  sbatch_extras: v.optional(checked(extrasProblem)),
  /** Remotes that the cluster also sees as a filesystem: listing that is cheaper. */
  mounts: v.optional(v.array(v.strictObject({ root: v.string(), path: farPath })), []),
});

export type Profile = v.InferOutput<typeof profileSchema>;

/** The folder of the user's profiles: XDG_CONFIG_HOME's, else ~/.config. */
export function profilesFolder(env: Readonly<Record<string, string | undefined>>): string {
  const base = env.XDG_CONFIG_HOME?.startsWith("/") ? env.XDG_CONFIG_HOME : join(homedir(), ".config");
  return join(base, "xfer", "clusters");
}

const pathOf = (folder: string, profile: string) => join(folder, `${profile}.json`);

/** The profile of a name. Throws invalid input that names those there are. */
export function readProfile(folder: string, wanted: string): Profile {
  if (!v.is(name, wanted)) throw invalidInput(`--cluster: ${JSON.stringify(wanted)} is no name of a cluster`);
  const path = pathOf(folder, wanted);
  const file = readJsonFile(path, profileSchema);
  if (file.kind === "value") return file.value;
  if (file.kind !== "none")
    throw invalidInput(
      `${path}: ${file.problem}: mend the file, or remove it (xfer cluster remove ${wanted}) and add it again`,
    );
  const others = profileNames(folder);
  const known = others.length === 0 ? "there is none yet" : `there are ${others.join(", ")}`;
  throw invalidInput(
    `no cluster is called ${wanted}: ${known} (xfer cluster add ${wanted} --host user@login)`,
  );
}

/** The flag that sets a field. */
function flagOfField(field: string): string {
  if (field === "name") return "the cluster's name";
  return field.startsWith("mounts") ? "--mount" : `--${field.replaceAll("_", "-")}`;
}

/** Whether there is a profile of that name, whole or not. */
export function hasProfile(folder: string, wanted: string): boolean {
  return profileNames(folder).includes(wanted);
}

/** What flags say of the fields of a profile; an empty text removes a field, an empty mount all mounts. */
export type ProfileChanges = {
  [K in Exclude<keyof Profile, "schema" | "name" | "mounts">]?: string | undefined;
} & { mounts?: readonly string[] | undefined };

/** A profile with some of its fields changed, not checked yet. Throws invalid input for what is no mount. */
export function changedProfile(
  before: object,
  { mounts, ...texts }: ProfileChanges,
): Record<string, unknown> {
  const changed: Record<string, unknown> = { run_root: runRootDefault, ...before };
  for (const [field, text] of Object.entries(texts)) {
    if (text === "") delete changed[field];
    else if (text !== undefined) changed[field] = text;
  }
  changed.run_root ??= runRootDefault;
  if (changed.host === undefined) throw invalidInput("--host: a cluster has to have one");
  if (mounts) changed.mounts = mounts.filter((text) => text !== "").map(mountOf);
  return changed;
}

function mountOf(text: string): Profile["mounts"][number] {
  const mount = parseMount(text);
  if (mount) return mount;
  throw invalidInput(`--mount: ${JSON.stringify(text)} is no mount: write REMOTE:BUCKET=/path`);
}

/** The flags whose path begins with this machine's home, which a shell may have put in the place of the cluster's. */
export function flagsOfHome({ host, run_root, rclone_config, image }: Profile, home: string): string[] {
  if (host === localHost) return [];
  const paths = { "--run-root": run_root, "--rclone-config": rclone_config, "--image": image };
  return Object.entries(paths).flatMap(([flag, path]) => (path?.startsWith(`${home}/`) ? [flag] : []));
}

/** A profile whose paths begin with no ~ any more: it was replaced by the home at the far end. */
export function withHome(profile: Profile, home: string): Profile {
  const full = (path: string) => (/^~(?:\/|$)/.test(path) ? home + path.slice(1) : path);
  return {
    ...profile,
    run_root: full(profile.run_root),
    mounts: profile.mounts.map(({ root, path }) => ({ root, path: full(path) })),
    ...(profile.rclone_config === undefined ? {} : { rclone_config: full(profile.rclone_config) }),
    ...(profile.image === undefined ? {} : { image: full(profile.image) }),
  };
}

/** The names of all profiles, sorted. */
export function profileNames(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
    return files.map((file) => file.slice(0, -".json".length)).sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** All profiles, and what is wrong with those that cannot be read. */
export function listProfiles(folder: string): { profiles: Profile[]; problems: string[] } {
  const profiles: Profile[] = [];
  const problems: string[] = [];
  for (const name of profileNames(folder)) {
    try {
      profiles.push(readProfile(folder, name));
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  return { profiles, problems };
}

/** Checks a profile and writes it, for this user alone. Throws invalid input that names the wrong field. */
export function writeProfile(folder: string, profile: unknown): Profile {
  const result = v.safeParse(profileSchema, profile);
  if (!result.success) {
    const issue = result.issues[0];
    throw invalidInput(`${flagOfField(v.getDotPath(issue) ?? "")}: ${issue.message}`);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replacePrivateFile(pathOf(folder, result.output.name), `${JSON.stringify(result.output, null, 2)}\n`);
  return result.output;
}

/** Removes a profile. Throws invalid input that names those there are when there is none of that name. */
export function removeProfile(folder: string, profile: string): void {
  if (!v.is(name, profile) || !removeIfExists(pathOf(folder, profile))) readProfile(folder, profile);
}

/** What --mount says: `REMOTE:BUCKET=/path`. Undefined when it says something else. */
export function parseMount(text: string): { root: string; path: string } | undefined {
  // A root may hold an equals sign in its backend's options, and a path too: the path is the first one that is absolute.
  const at = text.search(/=[/~]/);
  if (at <= 0 || !text.slice(0, at).includes(":")) return undefined;
  return { root: text.slice(0, at).replace(/\/+$/, ""), path: text.slice(at + 1).replace(/(.)\/+$/, "$1") };
}

/** The path under which a profile's cluster sees a root as a filesystem, or undefined. */
export function mountedPath(profile: Profile, root: string): string | undefined {
  const found = profile.mounts.flatMap((mount) => {
    if (root === mount.root) return [{ mount, below: "" }];
    // Of a whole remote ("store:") the path begins right behind the colon.
    const start = mount.root.endsWith(":") ? mount.root : `${mount.root}/`;
    return root.startsWith(start) ? [{ mount, below: root.slice(start.length) }] : [];
  });
  // The longest one knows best.
  const best = found.sort((a, b) => b.mount.root.length - a.mount.root.length)[0];
  if (!best) return undefined;
  return best.below === "" ? best.mount.path : `${best.mount.path.replace(/\/$/, "")}/${best.below}`;
}
