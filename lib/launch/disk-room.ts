import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { formatBytes, formatCount } from "../system/units.ts";
import { type Finding, failure, ok, skipped, warning } from "./finding.ts";

/** What a file system still takes. Quotas are not in it. */
export interface DiskRoom {
  bytes: number;
  /** Undefined where the file system has no fixed number of files. */
  inodes: number | undefined;
}

/** What a run writes into its directory at most, roughly. */
export interface DiskNeeds {
  bytes: number;
  inodes: number;
}

const mib = 1024 ** 2;

/** Without so much no state file can be written. */
export const leastNeeds: DiskNeeds = { bytes: 16 * mib, inodes: 64 };

/** Files of a shard in logs/ and state/: one log for each of two starts, and what is known of it. */
const filesOfShard = 12;

/** Bytes for each object: 250 in rclone's log of one start, by a name of 90 bytes; several starts, journal, list of keys. */
const bytesOfObject = 750;

/** Bytes for each shard beside its objects: its share of logs and samples. */
const bytesOfShard = 128 * 1024;

/** What the agents of a run of so many shards and objects write, beside what is there once it is rendered. */
export function needsOfRun(shards: number, objects: number): DiskNeeds {
  return {
    bytes: leastNeeds.bytes + shards * bytesOfShard + objects * bytesOfObject,
    inodes: leastNeeds.inodes + shards * filesOfShard,
  };
}

/** Looks at the file system of a folder, or of the folder in which it would be made; undefined without an answer. */
export async function readRoom(path: string, timeoutMs = 10_000): Promise<DiskRoom | undefined> {
  const { promise: late, resolve: end } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => end(undefined), timeoutMs);
  try {
    const looked = await Promise.race([statfs(existing(path)), late]);
    if (looked === undefined) return undefined;
    const { bavail, bsize, ffree, files } = looked;
    return { bytes: Number(bavail) * Number(bsize), inodes: Number(files) > 0 ? Number(ffree) : undefined };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function existing(path: string): string {
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/**
 * Whether a file system has room for a run:
 *
 * | free | |
 * |---|---|
 * | less than is needed | failure |
 * | less than twice as much | warning |
 * | more | ok |
 * | not known | skipped |
 */
export function roomFindings(path: string, room: DiskRoom | undefined, needs: DiskNeeds): Finding[] {
  if (room === undefined) return [skipped("disk", `${path}: the file system does not answer`)];
  const mend = "make room, or use a run directory on another file system";
  const judged = (check: string, free: number, need: number, words: (n: number) => string) => {
    const text = `${path}: ${words(free)} free; the run writes about ${words(need)}`;
    if (free < need) return failure(check, text, mend);
    return free < 2 * need ? warning(check, text, mend) : ok(check, text);
  };
  const files = (n: number) => `${formatCount(n)} files`;
  return [
    judged("disk", room.bytes, needs.bytes, formatBytes),
    room.inodes === undefined
      ? ok("inodes", `${path}: the file system has no fixed number of files`)
      : judged("inodes", room.inodes, needs.inodes, files),
  ];
}
