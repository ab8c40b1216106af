import { profileDefaults } from "../../lib/cluster/defaults.ts";
import { mountedPath, type Profile } from "../../lib/cluster/profile.ts";
import { clusterFlag } from "../flags/cluster.ts";
import type { Flags } from "../flags/flag.ts";
import { givenIn } from "./given.ts";
import { UsageError } from "./usage-error.ts";

/** Flags that say how a command goes to a cluster. */
const ofTheWay = ["build-cluster", "cluster-binary"];

/**
 * The cluster that a command line names, by its flag or by XFER_CLUSTER; undefined for this machine. Throws a usage error
 * for a flag that counts at a cluster alone, when there is none.
 */
export function clusterOf(
  flags: Flags,
  rawArgs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (flags.cluster !== clusterFlag) return undefined;
  const cluster = valueIn(rawArgs, "cluster") ?? (env.XFER_CLUSTER || undefined);
  const idle = ofTheWay.find((name) => valueIn(rawArgs, name) !== undefined);
  if (cluster === undefined && idle !== undefined) {
    throw new UsageError(`--${idle} is for a command that goes to a cluster: name it with --cluster`);
  }
  return cluster;
}

/** What a flag says among checked words, which have the form --flag=value; undefined when it is not given. */
export function valueIn(words: readonly string[], name: string): string | undefined {
  const start = `--${name}=`;
  return words.findLast((word) => word.startsWith(start))?.slice(start.length);
}

/**
 * The words that a command gets at a cluster beside the user's:
 *
 * | the command has | and the user did not say | it gets |
 * |---|---|---|
 * | a flag for which the profile has a value | that flag | the profile's value |
 * | --agent-path | --agent-path | the xfer that is there already, so that no run directory holds a copy |
 * | --list-root | --list-root or --no-posix-list | the mount of the source's bucket, where the profile names one |
 */
export function wordsThere(
  { name, flags }: { name: string; flags: Flags },
  rawArgs: readonly string[],
  { binary, profile }: { binary: string; profile: Profile },
): string[] {
  const lacks = (name: string) => Object.hasOwn(flags, name) && valueIn(rawArgs, name) === undefined;
  const words = Object.entries(profileDefaults(profile, name, givenIn(rawArgs))).flatMap(([flag, value]) =>
    lacks(flag) ? [`--${flag}=${value}`] : [],
  );
  if (lacks("agent-path")) words.push(`--agent-path=${binary}`);
  const source = valueIn(rawArgs, "source");
  const mount = source === undefined ? undefined : mountedPath(profile, source);
  if (mount !== undefined && lacks("list-root") && !rawArgs.includes("--no-posix-list")) {
    words.push(`--list-root=${mount}`);
  }
  return words;
}

/** The words of a command as the far end gets them: in this form, without the cluster's name. */
export function farWords(name: string, rawArgs: readonly string[]): string[] {
  const own = name.split(" ").slice(1);
  return [...own, ...rawArgs.filter((word) => !/^--(build-)?cluster(-binary)?=/.test(word))];
}
