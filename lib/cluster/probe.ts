import { sectionsOf } from "../system/sections.ts";
import { quoteWords } from "../system/shell-words.ts";
import type { Profile } from "./profile.ts";

/** What a probe tells of a partition. */
export interface PartitionFacts {
  name: string;
  isDefault: boolean;
  isUp: boolean;
  /** As Slurm writes it: "1-00:00:00", "infinite". */
  timeLimit: string;
  nodes: number;
  cpus: number;
  idleCpus: number;
  hasGpus: boolean;
  pendingJobs: number;
}

/** What a probe tells of a cluster; undefined where it could not be learned. */
export interface ClusterFacts {
  /** As uname says it: "Linux x86_64". */
  system: string;
  glibc: string | undefined;
  slurm: string | undefined;
  maxArraySize: number | undefined;
  maxJobs: number | undefined;
  pyxis: boolean;
  apptainer: boolean;
  rclone: string | undefined;
  partitions: PartitionFacts[];
  /** The rclone.conf of the profile: its mode in octal, or that it is missing or cannot be read. */
  rcloneConfig: { mode: string } | "missing" | "unreadable" | undefined;
  runRoot: "writable" | "not executable" | "not writable";
}

/** A path of a profile as a word for a shell: a leading ~ is the home there. */
export function farWord(path: string): string {
  return path === "~" || path.startsWith("~/") ? `"$HOME"${quoteWords([path.slice(1)])}` : quoteWords([path]);
}

/**
 * A script that reads, and writes nothing but a file of its own where the run root is or would be. Every section may come out
 * empty.
 */
export function probeScript(profile: Pick<Profile, "run_root" | "rclone_config">): string {
  const conf = profile.rclone_config;
  const sections: [string, string][] = [
    ["system", "uname -sm"],
    ["glibc", "getconf GNU_LIBC_VERSION"],
    ["slurm", "$limit sinfo --version"],
    ["limits", "$limit scontrol show config | grep -E '^(MaxArraySize|MaxJobCount) '"],
    ["pyxis", "$limit srun --help | grep -e --container-image"],
    ["apptainer", "command -v apptainer || command -v singularity"],
    ["rclone", "$limit rclone version | head -n 1"],
    ["partitions", "$limit sinfo --noheader --format '%R|%P|%a|%l|%D|%C|%G'"],
    ["pending", "$limit squeue --noheader --states=PENDING --format '%P'"],
    [
      "conf",
      conf === undefined
        ? ":"
        : `f=${farWord(conf)}; if [ ! -e "$f" ]; then echo missing; elif [ ! -r "$f" ]; then echo unreadable; ` +
          `else stat -c %a "$f" 2>/dev/null || stat -f %Lp "$f"; fi`,
    ],
    [
      "root",
      `d=${farWord(profile.run_root)}; while [ ! -d "$d" ]; do d=$(dirname "$d"); done; t="$d/.xfer-probe.$$"; ` +
        `if printf '#!/bin/sh\\necho runs\\n' > "$t"; then chmod 700 "$t"; if [ "$("$t")" = runs ]; ` +
        `then echo writable; else echo not executable; fi; rm -f "$t"; else echo not writable; fi`,
    ],
  ];
  // A controller that hangs is waited for only where timeout(1) is not there.
  const limit = "limit=; if command -v timeout > /dev/null 2>&1; then limit='timeout 20'; fi";
  const parts = sections.map(([name, command]) => `echo '== ${name}'; { ${command}; } 2>/dev/null`);
  return [limit, ...parts].join("\n");
}

/** Reads what the probe's script prints. */
export function parseProbe(text: string): ClusterFacts {
  const sections = sectionsOf(text);
  const all = (name: string) => (sections.get(name) ?? []).filter((line) => line !== "");
  const first = (name: string) => all(name)[0];
  const limit = (name: string) => {
    const line = all("limits").find((text) => text.startsWith(name));
    const value = Number(line?.split("=")[1]);
    return Number.isFinite(value) ? value : undefined;
  };
  return {
    system: first("system") ?? "unknown",
    glibc: first("glibc")?.replace(/^glibc /, ""),
    slurm: first("slurm")?.replace(/^slurm(-wlm)? /, ""),
    maxArraySize: limit("MaxArraySize"),
    maxJobs: limit("MaxJobCount"),
    pyxis: first("pyxis") !== undefined,
    apptainer: first("apptainer") !== undefined,
    rclone: first("rclone")?.replace(/^rclone /, ""),
    partitions: parsePartitions(all("partitions"), all("pending")),
    rcloneConfig: confOf(first("conf")),
    runRoot: rootOf(first("root")),
  };
}

function confOf(line: string | undefined): ClusterFacts["rcloneConfig"] {
  if (line === undefined || line === "missing" || line === "unreadable") return line;
  return { mode: line.padStart(4, "0") };
}

function rootOf(line: string | undefined): ClusterFacts["runRoot"] {
  return line === "writable" || line === "not executable" ? line : "not writable";
}

/** sinfo has a line for each set of alike nodes of a partition: they are added up. */
function parsePartitions(lines: readonly string[], pending: readonly string[]): PartitionFacts[] {
  const found = new Map<string, PartitionFacts>();
  for (const line of lines) {
    const [name = "", marked = "", state = "", timeLimit = "", nodes = "", cpus = "", gres = ""] =
      line.split("|");
    if (name === "") continue;
    const [, idle = "0", , total = "0"] = cpus.split("/");
    const known = found.get(name) ?? {
      ...{ name, isDefault: marked.endsWith("*"), isUp: state === "up", timeLimit },
      ...{ nodes: 0, cpus: 0, idleCpus: 0, hasGpus: false },
      // A job may name several partitions.
      pendingJobs: pending.filter((text) => text.split(",").includes(name)).length,
    };
    known.nodes += Number(nodes) || 0;
    known.cpus += Number(total) || 0;
    known.idleCpus += Number(idle) || 0;
    known.hasGpus ||= /\bgpu\b/.test(gres);
    found.set(name, known);
  }
  return [...found.values()];
}

/**
 * The partition in which a transfer disturbs least: up, without GPUs, few jobs waiting, many CPUs idle. Where partitions are
 * named (`wanted`, joined by commas), one of these.
 */
export function bestPartition(
  { partitions }: Pick<ClusterFacts, "partitions">,
  wanted?: string,
): PartitionFacts | undefined {
  const names = wanted?.split(",");
  const fitting = partitions.filter(({ isUp, name }) => isUp && (names?.includes(name) ?? true));
  return fitting.sort(byLoad)[0];
}

/**
 * The order of partitions, and of clusters by their best one:
 *
 * | first | then | then |
 * |---|---|---|
 * | without GPUs | fewer jobs waiting for each idle CPU | the larger share of idle CPUs |
 */
function byLoad(a: PartitionFacts, b: PartitionFacts): number {
  const waiting = (p: PartitionFacts) => p.pendingJobs / Math.max(1, p.idleCpus);
  const idle = (p: PartitionFacts) => p.idleCpus / Math.max(1, p.cpus);
  return Number(a.hasGpus) - Number(b.hasGpus) || waiting(a) - waiting(b) || idle(b) - idle(a);
}

/** Clusters, the best one for a transfer first; those without a partition that is up last. */
export function rankClusters<
  T extends { facts: Pick<ClusterFacts, "partitions">; profile: Pick<Profile, "partition"> },
>(clusters: readonly T[]): T[] {
  const ranked = clusters.map((cluster) => ({
    cluster,
    best: bestPartition(cluster.facts, cluster.profile.partition),
  }));
  ranked.sort((a, b) => {
    if (!a.best || !b.best) return Number(!a.best) - Number(!b.best);
    return byLoad(a.best, b.best);
  });
  return ranked.map(({ cluster }) => cluster);
}
