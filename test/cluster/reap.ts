/**
 * Ends everything that belongs to one test cluster. Run as a program (`bun reap.ts DIR`) it is the cluster's
 * watchdog: it waits until its stdin closes, which the kernel does for a test process however that ended, and
 * then reaps and removes DIR.
 */
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";

/** In the environment of every daemon of a cluster: the cluster's directory. */
export const CLUSTER_MARK = "XFER_TEST_CLUSTER";
/** Beside it in a slurmd's environment: the node's name. */
export const NODE_MARK = "XFER_TEST_NODE";

const REAP_ROUNDS_MAX = 250;
const REAP_PAUSE_MS = 20;

interface ProcessInfo {
  pid: number;
  parent: number;
  command: string;
  environment: Set<string>;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process ended while it was looked at
  }
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return []; // the process ended while it was looked at
  }
}

function listProcesses(): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    // The command may itself hold spaces and brackets.
    const [, command, state, parent] = /^\d+ \((.*)\) (\S) (\d+) /s.exec(readText(`/proc/${pid}/stat`)) ?? [];
    if (command === undefined || state === undefined || state === "Z") continue;
    const environment = new Set(readText(`/proc/${pid}/environ`).split("\0"));
    found.push({ pid, parent: Number(parent), command, environment });
  }
  return found;
}

/** A slurmstepd writes its title over its environment, but it keeps its slurmd's log open. */
function isStepDaemon({ pid, command }: ProcessInfo, dir: string, node: string | undefined): boolean {
  if (!command.startsWith("slurmstepd")) return false;
  const log = `${dir}/log/slurmd-${node ?? ""}`;
  return openFiles(pid).some((file) => file.startsWith(node === undefined ? log : `${log}.log`));
}

function isDaemon({ environment }: ProcessInfo, dir: string, node: string | undefined): boolean {
  const isOfNode = node === undefined || environment.has(`${NODE_MARK}=${node}`);
  return isOfNode && environment.has(`${CLUSTER_MARK}=${dir}`);
}

/** A job's process. SLURM_CONF alone would also match a shell that only looks at the cluster. */
function isTask({ environment }: ProcessInfo, dir: string, node: string | undefined): boolean {
  if (!environment.has(`SLURM_CONF=${dir}/etc/slurm.conf`)) return false;
  const ofNode = `SLURMD_NODENAME=${node ?? ""}`;
  return [...environment].some((entry) => (node === undefined ? entry.startsWith(ofNode) : entry === ofNode));
}

/**
 * The processes of the cluster in `dir`, or of one node of it: daemons by the mark in their environment,
 * slurmstepds by their log, job processes by what Slurm put into their environment, and all their descendants.
 */
export function clusterPids(dir: string, node?: string): number[] {
  const processes = listProcesses();
  const own = new Set<number>();
  for (const info of processes)
    if (isDaemon(info, dir, node) || isStepDaemon(info, dir, node) || isTask(info, dir, node))
      own.add(info.pid);
  for (let grew = true; grew; ) {
    grew = false;
    for (const { pid, parent } of processes) {
      if (own.has(parent) && !own.has(pid)) grew = own.add(pid).has(pid);
    }
  }
  own.delete(process.pid);
  return [...own];
}

function loopDevices(dir: string): string[] {
  return readdirSync("/sys/block")
    .filter((name) => readText(`/sys/block/${name}/loop/backing_file`).startsWith(`${dir}/`))
    .map((name) => `/dev/${name}`);
}

function send(pid: number, signal: "SIGSTOP" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it ended by itself
  }
}

/** Kills the processes of the cluster in `dir` (or of one node of it) and returns when none is left. */
export function reap(dir: string, node?: string): void {
  for (let round = 0; round < REAP_ROUNDS_MAX; round++) {
    const pids = clusterPids(dir, node);
    if (pids.length === 0) return;
    // Frozen first, as in a power cut: a slurmstepd that outlived its task by a moment would report the job's end.
    for (const signal of ["SIGSTOP", "SIGKILL"] as const) for (const pid of pids) send(pid, signal);
    Bun.sleepSync(REAP_PAUSE_MS);
  }
  throw new Error(`processes of the test cluster in ${dir} do not end: ${clusterPids(dir, node).join(" ")}`);
}

/** Kills the cluster in `dir`, frees its loop devices and removes the directory. */
export function reapAndRemove(dir: string): void {
  reap(dir);
  // The kernel frees a loop device a moment after the last process of its mount namespace.
  for (let round = 0; round < REAP_ROUNDS_MAX && loopDevices(dir).length > 0; round++)
    Bun.sleepSync(REAP_PAUSE_MS);
  for (const device of loopDevices(dir)) Bun.spawnSync(["losetup", "-d", device]);
  rmSync(dir, { recursive: true, force: true });
}

if (import.meta.main) {
  const dir = process.argv[2];
  if (dir === undefined) throw new Error("usage: bun reap.ts DIR");
  // Ctrl-C goes to a whole terminal, a stop of a service to a whole group: this process is what remains.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  for await (const _ of Bun.stdin.stream()) {
    // nothing is ever written: only the end of the stream counts
  }
  reapAndRemove(dir);
}
