import { mkdirSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { runtimeNames } from "../rclone/runtime.ts";
import { removeIfExists, replacePrivateFile } from "../system/durable.ts";
import { errnoOf, invalidInput } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";

/** The host of a profile for who works on the cluster's login node itself. */
export const localHost = "local";

const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "must be letters, digits, _ . and -, at most 64"),
);

/** An absolute path, as every node of the cluster sees it; a leading ~/ is the home at the far end. */
const farPath = v.pipe(
  v.string(),
  v.regex(/^(\/|~\/|~$)[^\n\0]*$/, "must be an absolute path at the cluster, or begin with ~/"),
);

/** xfer.cluster.v1: what is known of a cluster. It holds no secret. */
const profileSchema = v.strictObject({
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
  partition: v.optional(v.string()),
  image: v.optional(v.string()),
  runtime: v.optional(v.picklist(runtimeNames)),
  account: v.optional(v.string()),
  sbatch_extras: v.optional(v.string()),
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
    throw invalidInput(`${path}: ${file.problem}: mend it with xfer cluster edit, or remove it`);
  const others = profileNames(folder);
  const known = others.length === 0 ? "there is none yet" : `there are ${others.join(", ")}`;
  throw invalidInput(
    `no cluster is called ${wanted}: ${known} (xfer cluster add ${wanted} --host user@login)`,
  );
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

/** Checks a profile and writes it, for this user alone. Throws invalid input that names the wrong field. */
export function writeProfile(folder: string, profile: unknown): Profile {
  const result = v.safeParse(profileSchema, profile);
  if (!result.success) {
    const issue = result.issues[0];
    throw invalidInput(`the profile's ${v.getDotPath(issue) ?? "content"}: ${issue.message}`);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replacePrivateFile(pathOf(folder, result.output.name), `${JSON.stringify(result.output, null, 2)}\n`);
  return result.output;
}

/** Removes a profile; true when there was one. */
export function removeProfile(folder: string, profile: string): boolean {
  return removeIfExists(pathOf(folder, profile));
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
