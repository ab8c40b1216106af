import { clusterFlag } from "../flags/cluster.ts";
import type { Flags } from "../flags/flag.ts";

/** The cluster that a command line names, by its flag or by XFER_CLUSTER; undefined for this machine. */
export function clusterOf(
  flags: Flags,
  rawArgs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (flags.cluster !== clusterFlag) return undefined;
  const given = rawArgs.findLast((word) => word.startsWith(clusterStart))?.slice(clusterStart.length);
  return given ?? (env.XFER_CLUSTER === "" ? undefined : env.XFER_CLUSTER);
}

const clusterStart = "--cluster=";

/** The words of a command as the far end gets them: in this form, without the cluster's name. */
export function farWords(name: string, rawArgs: readonly string[]): string[] {
  const own = name.split(" ").slice(1);
  return [...own, ...rawArgs.filter((word) => !word.startsWith(clusterStart))];
}
