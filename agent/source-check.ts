import { promises, type Stats } from "node:fs";
import type { ShardRecords } from "../lib/shard/records.ts";
import { errnoOf, messageOf } from "../lib/system/errors.ts";
import { sleepRunning } from "../lib/system/running-time.ts";
import { mapSideBySide } from "../lib/system/side-by-side.ts";
import { formatObjects } from "../lib/system/units.ts";
import { type FileLook, unreadableFile } from "./decide/source-file.ts";
import type { UnprovenRecord } from "./decide/unproven.ts";
import type { Worklist } from "./worklist.ts";

/** How many paths are looked at side by side: a slow file system can answer many at once. */
const width = 128;
/** How long some thousand looks may take before the file system counts as hung. Nothing else watches these looks. */
const batchLimitMs = 120_000;

/**
 * Looks at the files of a POSIX source that a pass would read, and leaves out of the pass each file that rclone cannot look
 * up, with its reason. Two kinds of source are left to rclone: one that is not there at all, of which rclone says it
 * better, and one that is no path of this host.
 */
export async function leaveOutUnreadable(pass: {
  /** Where the source is on this host, when it is a path. */
  root: string | undefined;
  records: ShardRecords;
  worklist: Worklist;
  stop: AbortSignal;
  note: (message: string) => void;
  batchLimitMs?: number;
}): Promise<void> {
  const { root, records, worklist, stop } = pass;
  if (root === undefined) return;
  const limitMs = pass.batchLimitMs ?? batchLimitMs;
  const there = await within(limitMs, lookAt(root), stop);
  if (there?.kind !== "directory") return;
  const found: UnprovenRecord[] = [];
  let isHung = false;
  await records.inBatches(
    (index) => worklist.isToDo(index),
    async (batch) => {
      if (stop.aborted || isHung) return;
      const looking = mapSideBySide(batch, width, ({ key }) => lookAt(`${root}/${key}`));
      const looks = await within(limitMs, looking, stop);
      isHung = looks === undefined;
      if (!looks) return;
      batch.forEach(({ index, key }, at) => {
        const look = looks[at];
        const unreadable = look && unreadableFile(key, look);
        if (unreadable) found.push({ index, ...unreadable, own: true });
      });
    },
  );
  for (const record of found) worklist.leaveOut(record);
  if (isHung && !stop.aborted) pass.note(`${root} does not answer: its files are left to rclone`);
  if (found.length > 0) pass.note(`${formatObjects(found.length)} left out: ${found[0]?.message}`);
}

/** The result of `work`, or undefined when it takes longer than the limit or `stop` is aborted before. */
async function within<T>(limitMs: number, work: Promise<T>, stop: AbortSignal): Promise<T | undefined> {
  const done = new AbortController();
  const limit = sleepRunning(limitMs, AbortSignal.any([stop, done.signal])).then(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    done.abort();
  }
}

/** Looks at a path through links, as rclone does when it opens a file by its key. */
async function lookAt(path: string): Promise<FileLook> {
  try {
    return { kind: kindOf(await promises.stat(path)) };
  } catch (error) {
    return { kind: "error", errno: errnoOf(error), message: messageOf(error) };
  }
}

function kindOf(stats: Stats): "file" | "directory" | "other" {
  if (stats.isFile()) return "file";
  return stats.isDirectory() ? "directory" : "other";
}
