import type { FarBinary } from "../../lib/cluster/clean.ts";
import type { Profile } from "../../lib/cluster/profile.ts";
import { formatBytes } from "../../lib/system/units.ts";
import { columnsText } from "./table.ts";

/** A profile, a field a line. */
export function profileText(profile: Profile): string {
  const { name, host, run_root, mounts } = profile;
  const fields: [string, string | undefined][] = [
    ["host", host],
    ["run root", run_root],
    ["rclone.conf", profile.rclone_config],
    ["image", profile.image],
    ["runtime", profile.runtime],
    ["partition", profile.partition],
    ["account", profile.account],
    ["sbatch", profile.sbatch_extras],
    ...mounts.map(({ root, path }): [string, string] => ["mount", `${root} is ${path}`]),
  ];
  const rows = fields.flatMap(([field, value]) => (value === undefined ? [] : [[field, value]]));
  return `${name}\n${columnsText(rows, "  ")}`;
}

/** Profiles as a table; the default one has a star. */
export function profilesText(profiles: readonly Profile[], standard: string | undefined): string {
  if (profiles.length === 0) return "no cluster yet: xfer cluster add NAME --host user@login\n";
  const rows = profiles.map(({ name, host, run_root, partition = "-" }) => [
    name === standard ? `${name}*` : name,
    host,
    partition,
    run_root,
  ]);
  return columnsText([["cluster", "host", "partition", "run root"], ...rows]);
}

interface Cleaned {
  name: string;
  binaries: readonly FarBinary[];
  /** Whether what may go was removed. */
  isDone: boolean;
}

/** The binaries at a cluster, and what became of each. */
export function cleanedText({ name, binaries, isDone }: Cleaned): string {
  if (binaries.length === 0) return `${name}: no xfer lies there\n`;
  const gone = isDone ? "removed" : "not used: --yes removes it";
  const rows = binaries.map((one) => [
    one.name,
    formatBytes(one.bytes),
    one.keep === undefined ? gone : `stays: ${one.keep}`,
  ]);
  return `${name}\n${columnsText(rows, "  ")}`;
}

/** The same, schema xfer.cluster-clean.v1. */
export function cleanedJson({ name, binaries, isDone }: Cleaned) {
  const all = binaries.map((one) => ({
    name: one.name,
    bytes: one.bytes,
    keep: one.keep ?? null,
    removed: isDone && one.keep === undefined,
  }));
  return { schema: "xfer.cluster-clean.v1", cluster: name, binaries: all } as const;
}
