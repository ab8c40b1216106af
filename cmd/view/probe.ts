import type { NodeFacts } from "../../lib/cluster/node-probe.ts";
import { bestPartition, type ClusterFacts, type PartitionFacts } from "../../lib/cluster/probe.ts";
import type { Probed } from "../../lib/cluster/probe-clusters.ts";
import type { Profile } from "../../lib/cluster/profile.ts";
import { isPrivateMode } from "../../lib/rclone/conf-mode.ts";
import { formatCount, formatPercent } from "../../lib/system/units.ts";
import { columnsText } from "./table.ts";

/** Probed clusters as a table, the best one first, and the partitions of each. */
export function probeText(probed: readonly Probed[]): string {
  const whole = probed.filter((one) => "facts" in one);
  const rows = whole.map(({ profile, facts }) => rowOf(profile, facts));
  const head = ["cluster", "system", "slurm", "best partition", "idle CPUs", "waiting", "rclone.conf"];
  const table = rows.length === 0 ? "" : columnsText([[...head, "run root"], ...rows]);
  const failed = probed.flatMap((one) => ("problem" in one ? [`${one.profile.name}: ${one.problem}\n`] : []));
  const details = whole.map(({ profile, facts, node }) => `\n${detailsOf(profile, facts, node)}`);
  return [table, ...failed, ...details].join("");
}

function rowOf({ name, partition }: Profile, facts: ClusterFacts): string[] {
  const best = bestPartition(facts, partition);
  return [
    name,
    facts.system,
    facts.slurm ?? "none",
    best ? `${best.name} (${kindOf(best)})` : "none",
    best ? idleOf(best) : "-",
    best ? formatCount(best.pendingJobs) : "-",
    confWord(facts.rcloneConfig),
    facts.runRoot,
  ];
}

const kindOf = ({ hasGpus }: PartitionFacts): string => (hasGpus ? "GPUs" : "CPU only");

const idleOf = ({ idleCpus, cpus }: PartitionFacts): string =>
  `${formatCount(idleCpus)} of ${formatCount(cpus)} (${formatPercent(idleCpus, cpus)})`;

function confWord(conf: ClusterFacts["rcloneConfig"]): string {
  if (conf === undefined) return "not named";
  return typeof conf === "string" ? conf : conf.mode;
}

function detailsOf(profile: Profile, facts: ClusterFacts, node: NodeFacts | undefined): string {
  const containers = [facts.pyxis ? "pyxis" : "", facts.apptainer ? "apptainer" : ""].filter((word) => word);
  const lines = [
    `containers: ${containers.join(", ") || "none"}; rclone on the login node: ${facts.rclone ?? "none"}; ` +
      `glibc: ${facts.glibc ?? "none"}`,
    ...(facts.maxArraySize === undefined
      ? []
      : [
          `limits: ${formatCount(facts.maxArraySize - 1)} is the highest task of an array, ` +
            `${formatCount(facts.maxJobs ?? 0)} jobs`,
        ]),
    ...(node ? nodeLines(node) : []),
  ];
  const rows = facts.partitions.map((partition) => [
    `${partition.name}${partition.isDefault ? "*" : ""}`,
    partition.isUp ? kindOf(partition) : `${kindOf(partition)}, down`,
    idleOf(partition),
    formatCount(partition.pendingJobs),
    partition.timeLimit,
  ]);
  const head = ["partition", "kind", "idle CPUs", "waiting", "time limit"];
  const table = rows.length === 0 ? "" : columnsText([head, ...rows], "  ");
  return `${profile.name}\n${lines.map((line) => `  ${line}\n`).join("")}${table}`;
}

function nodeLines({ runRoot, rclone }: NodeFacts): string[] {
  return [
    `rclone on a compute node: ${"version" in rclone ? rclone.version : rclone.problem}`,
    `the run root on a compute node: ${runRoot === "runs" ? "programs run" : runRoot.problem}`,
  ];
}

/** What is wrong at clusters, with the mend, a line each. */
export function probeNotes(probed: readonly Probed[]): string[] {
  return probed.flatMap((one) => {
    if ("problem" in one) return [];
    const { profile, facts, node } = one;
    const conf = facts.rcloneConfig;
    const notes = [
      profile.partition !== undefined && !bestPartition(facts, profile.partition)
        ? `no partition ${profile.partition} is up there: name another (xfer cluster edit ${profile.name} --partition NAME)`
        : undefined,
      typeof conf === "object" && !isPrivateMode(conf.mode)
        ? `others can read ${profile.rclone_config} (mode ${conf.mode}): chmod 600 it there`
        : undefined,
      conf === "missing" || conf === "unreadable"
        ? `${profile.rclone_config} is ${conf}: xfer rclone-config deploy sends remotes there`
        : undefined,
      facts.runRoot !== "writable"
        ? `the run root ${profile.run_root} is ${facts.runRoot}: choose another (xfer cluster edit ${profile.name} --run-root PATH)`
        : undefined,
      node && node.runRoot !== "runs"
        ? `a program in ${profile.run_root} does not run on a compute node: choose a run root that all nodes see`
        : undefined,
    ];
    return notes.flatMap((note) => (note === undefined ? [] : [`${profile.name}: ${note}`]));
  });
}

/** Probed clusters, schema xfer.probe.v1. */
export function probeJson(probed: readonly Probed[]) {
  return { schema: "xfer.probe.v1", clusters: probed.map(clusterJson) } as const;
}

function clusterJson(one: Probed) {
  const { name, host, run_root, rclone_config = null } = one.profile;
  const head = { name, host, run_root };
  if ("problem" in one) return { ...head, problem: one.problem };
  const { facts, node } = one;
  const conf = facts.rcloneConfig;
  return {
    ...head,
    problem: null,
    system: facts.system,
    glibc: facts.glibc ?? null,
    slurm: facts.slurm ?? null,
    max_array_size: facts.maxArraySize ?? null,
    max_jobs: facts.maxJobs ?? null,
    pyxis: facts.pyxis,
    apptainer: facts.apptainer,
    rclone: facts.rclone ?? null,
    rclone_config: {
      path: rclone_config,
      state: typeof conf === "object" ? "there" : (conf ?? "not named"),
      mode: typeof conf === "object" ? conf.mode : null,
    },
    run_root_state: facts.runRoot,
    best_partition: bestPartition(facts, one.profile.partition)?.name ?? null,
    partitions: facts.partitions.map(partitionJson),
    node: node ? nodeJson(node) : null,
  };
}

function partitionJson(partition: PartitionFacts) {
  return {
    name: partition.name,
    default: partition.isDefault,
    up: partition.isUp,
    time_limit: partition.timeLimit,
    nodes: partition.nodes,
    cpus: partition.cpus,
    idle_cpus: partition.idleCpus,
    gpus: partition.hasGpus,
    pending_jobs: partition.pendingJobs,
  };
}

function nodeJson({ runRoot, rclone }: NodeFacts) {
  return {
    rclone: "version" in rclone ? rclone.version : null,
    rclone_problem: "problem" in rclone ? rclone.problem : null,
    run_root_executes: runRoot === "runs",
    run_root_problem: runRoot === "runs" ? null : runRoot.problem,
  };
}
