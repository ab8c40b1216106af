import type { Partition } from "../slurm/partitions.ts";
import type { TaskRequest } from "../slurm/task-request.ts";
import { formatBytes, formatCount, formatDuration } from "../system/units.ts";
import { type Finding, failure, ok, skipped, warning } from "./finding.ts";

/** The checks of a task's request against the cluster's partitions, in the order in which they are told. */
export const fitChecks = ["partition", "time-limit", "memory", "cpus", "gpus"] as const;

/**
 * Whether the partitions that a task asks for can run it:
 *
 * | | ok | warning | failure |
 * |---|---|---|---|
 * | partition | all are there and up | one of several is not up; no node can run jobs just now | one is not there; none is up |
 * | time-limit | within the limit of each | over that of one of several, or a QOS is named, which may allow it | over that of each |
 * | memory, cpus | a node has as much | | no node has as much, or none has both |
 * | gpus | there are nodes without | all nodes have GPUs | |
 *
 * What is not known is skipped: Slurm told no partitions, the task goes by other rules than a partition's, or it leaves the
 * amount to the cluster.
 */
export function partitionFindings(
  request: TaskRequest,
  partitions: readonly Partition[] | undefined,
): Finding[] {
  const all = (why: string) => fitChecks.map((check) => skipped(check, why));
  if (request.isElsewhere)
    return all("another cluster or a reservation is named, which has rules of its own");
  if (partitions === undefined) return all("Slurm did not tell its partitions (sinfo)");
  const found = chosen(request, partitions);
  if ("check" in found) return [found, ...all("there is no such partition").slice(1)];
  const { asked } = found;
  const up = asked.filter(({ state }) => state === "up");
  if (up.length === 0) {
    const text = `${namesOf(asked)} is not up (${asked.map(({ state }) => state).join(", ")})`;
    const other = namesOf(partitions.filter(({ state }) => state === "up")) || "none";
    const down = failure("partition", text, `wait until it is, or render with another --partition: ${other}`);
    return [
      down,
      timeFinding(request, asked),
      ...sizeFindings(request, asked),
      gpuFinding(asked, partitions),
    ];
  }
  return [
    upFinding(asked, up),
    timeFinding(request, up),
    ...sizeFindings(request, up),
    gpuFinding(up, partitions),
  ];
}

const namesOf = (partitions: readonly Partition[]): string => partitions.map(({ name }) => name).join(", ");

/** The partitions that a task may run in. */
function chosen(
  { partitions: names }: TaskRequest,
  partitions: readonly Partition[],
): { asked: Partition[] } | Finding {
  const asked = partitions.filter(({ name, isDefault }) =>
    names.length === 0 ? isDefault : names.includes(name),
  );
  const absent = names.find((name) => partitions.every((one) => one.name !== name));
  const known = `render with a --partition that is: ${namesOf(partitions)}`;
  if (absent !== undefined)
    return failure("partition", `${absent} is not a partition of this cluster`, known);
  if (asked.length > 0) return { asked };
  return failure("partition", "none is named, and the cluster has no default one", known);
}

function upFinding(asked: readonly Partition[], up: readonly Partition[]): Finding {
  const nodes = up.flatMap((one) => one.nodes);
  const usable = nodes.filter(({ isUsable }) => isUsable);
  const count = usable.reduce((sum, one) => sum + one.count, 0);
  const text = `${namesOf(up)}: up, ${formatCount(count)} ${count === 1 ? "node" : "nodes"}`;
  if (nodes.length > 0 && count === 0) {
    return warning(
      "partition",
      `${namesOf(up)}: up, but all its nodes are down or drained`,
      "tasks wait until a node is back",
    );
  }
  if (up.length === asked.length) return ok("partition", text);
  const down = asked.filter((one) => !up.includes(one));
  return warning("partition", `${text}; ${namesOf(down)} is not up`, "leave it out, or wait");
}

function timeFinding({ timeLimit, qos }: TaskRequest, partitions: readonly Partition[]): Finding {
  const check = "time-limit";
  const limits = partitions.map((one) => one.timeLimit ?? Number.POSITIVE_INFINITY);
  const [least, most] = [Math.min(...limits), Math.max(...limits)];
  const words = (seconds: number) =>
    seconds === Number.POSITIVE_INFINITY ? "none" : formatDuration(seconds);
  if (timeLimit === undefined)
    return skipped(check, `the task names none; the partition's is ${words(most)}`);
  if (timeLimit <= least) return ok(check, `${words(timeLimit)}; the partition's is ${words(least)}`);
  const over = `${words(timeLimit)} is over the limit of ${namesOf(partitions)}, ${words(most)}`;
  if (timeLimit > most) {
    const mend = `render with --time-limit ${Math.floor(most / 60)} (minutes) at most, or another --partition`;
    return qos === undefined
      ? failure(check, `${over}: the tasks would wait for ever`, mend)
      : warning(check, over, `the QOS ${qos} may allow it; else ${mend}`);
  }
  const short = partitions.filter((one) => (one.timeLimit ?? Number.POSITIVE_INFINITY) < timeLimit);
  return warning(
    check,
    `${words(timeLimit)} is over the limit of ${namesOf(short)}`,
    "tasks run in the other ones alone",
  );
}

/** Memory and CPUs of one task against one node's. */
function sizeFindings({ memoryMb, cpus }: TaskRequest, partitions: readonly Partition[]): Finding[] {
  const nodes = partitions.flatMap((one) => one.nodes);
  const size = (mb: number) => formatBytes(mb * 1024 ** 2);
  // A cluster that does not manage memory may say 1 MB of each node.
  const known = nodes.filter((one) => one.memoryMb > 1);
  const mostMemory = Math.max(0, ...known.map((one) => one.memoryMb));
  const mostCpus = Math.max(0, ...nodes.map((one) => one.cpus));
  const where = namesOf(partitions);
  const lines: Finding[] = [];
  if (known.length === 0) lines.push(skipped("memory", "Slurm does not tell the memory of the nodes"));
  else if (memoryMb === undefined)
    lines.push(skipped("memory", `the task asks for none; a node has ${size(mostMemory)}`));
  else if (memoryMb > mostMemory) {
    const text = `a task asks for ${size(memoryMb)}, and no node of ${where} has more than ${size(mostMemory)}`;
    lines.push(failure("memory", text, `render with --mem ${mostMemory}M at most`));
  } else
    lines.push(
      ok(
        "memory",
        `${memoryMb === 0 ? "all of a node's" : size(memoryMb)} a task; a node has ${size(mostMemory)}`,
      ),
    );
  if (mostCpus === 0) lines.push(skipped("cpus", "Slurm does not tell the CPUs of the nodes"));
  else if (cpus === undefined)
    lines.push(skipped("cpus", `the task asks for none; a node has ${formatCount(mostCpus)}`));
  else if (cpus > mostCpus) {
    const text = `a task asks for ${formatCount(cpus)}, and no node of ${where} has more than ${formatCount(mostCpus)}`;
    lines.push(failure("cpus", text, `render with --cpus-per-task ${mostCpus} at most`));
  } else if (
    !nodes.some((one) => one.cpus >= cpus && (one.memoryMb <= 1 || one.memoryMb >= (memoryMb ?? 0)))
  ) {
    lines.push(
      lines[0]?.state === "failure" ? ok("cpus", `${formatCount(cpus)} a task`) : noNodeHasBoth(where),
    );
  } else lines.push(ok("cpus", `${formatCount(cpus)} a task; a node has ${formatCount(mostCpus)}`));
  return lines;
}

const noNodeHasBoth = (where: string): Finding =>
  failure(
    "cpus",
    `no node of ${where} has both the CPUs and the memory of a task`,
    "render with a smaller --mem or --cpus-per-task",
  );

function gpuFinding(asked: readonly Partition[], partitions: readonly Partition[]): Finding {
  const isFree = (one: Partition) => one.state === "up" && one.nodes.some(({ hasGpus }) => !hasGpus);
  if (asked.every(({ nodes }) => nodes.length === 0)) return skipped("gpus", "the partition has no nodes");
  if (asked.some(({ nodes }) => nodes.some(({ hasGpus }) => !hasGpus)))
    return ok("gpus", "there are nodes without GPUs");
  const free = namesOf(partitions.filter(isFree));
  const mend =
    free === ""
      ? "no other partition is without: ask whether copies may run here"
      : `a --partition without: ${free}`;
  return warning("gpus", `all nodes of ${namesOf(asked)} have GPUs, which a copy leaves idle`, mend);
}
