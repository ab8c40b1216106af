import { type Explained, explain, profileDefaults } from "../../lib/cluster/defaults.ts";
import { mountedPath, type Profile, profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { hasUrlSecret } from "../../lib/rclone/secrets.ts";
import type { Flags } from "../flags/flag.ts";
import { explainedText } from "../view/explain.ts";
import { printJson, printText } from "../view/print.ts";
import { clusterOf } from "./cluster-of.ts";
import type { CommandSpec } from "./command.ts";
import { defaultOf } from "./flag-rows.ts";
import { givenIn } from "./given.ts";

/** Flags that say where and how a command is run, and not what it does. */
const ofHandingOver = new Set(["explain", "cluster", "cluster-binary"]);

/**
 * Prints where a command's flags have their values from, when its canonical arguments ask for that with --explain. False when
 * they do not, and the command is to be run.
 */
export async function explained(spec: CommandSpec<Flags>, rawArgs: readonly string[]): Promise<boolean> {
  const given = givenIn(rawArgs);
  if (!spec.flags.explain || given.get("explain") !== "on") return false;
  const name = clusterOf(spec.flags, rawArgs, process.env);
  const profile = name === undefined ? undefined : readProfile(profilesFolder(process.env), name);
  const flags = Object.entries(spec.flags).filter(([flag]) => !ofHandingOver.has(flag));
  const standards = Object.fromEntries(flags.map(([flag, declared]) => [flag, defaultOf(declared)]));
  const known = profile ? knownOf(profile, spec, given) : {};
  const rows = explain(standards, given, known).map(withoutSecret);
  if (given.get("json") === "on") {
    await printJson({ schema: "xfer.explain.v1", command: spec.name, cluster: name ?? null, flags: rows });
  } else await printText(explainedText(spec.name, profile, rows));
  return true;
}

/** What a profile has for flags of a command: values, and the mount of its source. */
function knownOf(
  profile: Profile,
  { name, flags }: CommandSpec<Flags>,
  given: ReadonlyMap<string, string>,
): Record<string, string> {
  const known = profileDefaults(profile, name, given);
  const source = given.get("source");
  const mount = source === undefined ? undefined : mountedPath(profile, source);
  const listsMount = mount !== undefined && flags["list-root"] && given.get("posix-list") !== "off";
  return listsMount ? { ...known, "list-root": mount } : known;
}

const connectionString = /^:?[\w. -]+,[^/]*:/;
const secretFlag = /--[\w-]*(?:pass|secret|token|key|auth|cred|header)[\w-]*(?:[= ]|$)/i;

/** What a command would refuse for its credential is not printed either: a connection string, a signed address. */
function withoutSecret(row: Explained): Explained {
  const value = row.value ?? "";
  const isSecret = connectionString.test(value) || secretFlag.test(value) || hasUrlSecret(value);
  return isSecret ? { ...row, value: "(not shown)" } : row;
}
