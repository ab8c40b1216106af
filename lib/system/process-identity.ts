import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process as it can be recognised later, although its pid may be used again. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot (proc(5)). */
  start: string;
}

/** The table of processes in which a pid means something: that of one pid namespace, of one boot of one machine. */
export interface ProcessTable {
  host: string;
  /** An id that changes with every boot (random(4)); null where there is no /proc, and in files of earlier builds. */
  boot: string | null;
  /** The pid namespace, since a container may have pids of its own under its host's name; null where it is not known. */
  pid_namespace: string | null;
}

/** Identifies the process with this pid in this process's own table; undefined when none runs, or there is no /proc. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in parentheses, which may hold spaces: count the fields after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const start = fields[19];
    return start === undefined || fields[0] === "Z" ? undefined : { pid, start };
  } catch {
    return undefined;
  }
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return identifyProcess(process.pid) ?? { pid: process.pid, start: "" };
}

/** The table that this process is in. */
export function ownTable(): ProcessTable {
  return {
    host: hostname(),
    boot: textOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pid_namespace: textOf(() => readlinkSync("/proc/self/ns/pid")),
  };
}

function textOf(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Whether the process that was identified earlier in this process's own table still runs. */
function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.start === identity.start;
}

/**
 * Whether the pids of one table can be looked up in another:
 *
 * | kernel start and pid namespace | host | same |
 * |---|---|---|
 * | both known, and equal | any: a container may have a name of its own | yes |
 * | one of them known, and different | any: two machines, or a machine and its containers, can share a name | no |
 * | not known for one of the two | equal | yes, as far as can be told |
 * | not known for one of the two | different | no |
 */
export function isSameTable(one: ProcessTable, other: ProcessTable): boolean {
  const differs = (name: "boot" | "pid_namespace") =>
    one[name] !== null && other[name] !== null && one[name] !== other[name];
  if (differs("boot") || differs("pid_namespace")) return false;
  const known = [one.boot, other.boot, one.pid_namespace, other.pid_namespace].every((id) => id !== null);
  return known || one.host === other.host;
}

/** Whether a process that was identified in `table` still runs; undefined when it cannot be looked up from here. */
export function runsStill(identity: ProcessIdentity, table: ProcessTable): boolean | undefined {
  return isSameTable(table, ownTable()) ? isRunning(identity) : undefined;
}
