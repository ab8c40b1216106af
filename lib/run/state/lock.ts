import { statSync } from "node:fs";
import * as v from "valibot";
import { readJsonFile } from "../../system/json-file.ts";

/** The schema of a shard's .lock. */
export const lockSchema = v.object({
  schema: v.literal("xfer.lock.v1"),
  token: v.string(),
  host: v.string(),
  boot: v.optional(v.nullable(v.string()), null),
  pid_namespace: v.optional(v.nullable(v.string()), null),
  agent: v.object({ pid: v.number(), start: v.string() }),
  submission: v.string(),
});

/** The content of a shard's .lock: which agent holds the shard, and where its pid means something. */
export type LockContent = v.InferOutput<typeof lockSchema>;

/** A lock file as it was found. */
export interface FoundLock {
  /** The holder's token, as a part of a file's name. A lock that cannot be read is known by its inode and time instead. */
  id: string;
  /** Undefined for a lock file that is empty or torn. */
  holder: LockContent | undefined;
}

/** Reads a shard's .lock; undefined when there is none. */
export function readLock(path: string): FoundLock | undefined {
  const lock = readJsonFile(path, lockSchema);
  if (lock.kind === "none") return undefined;
  if (lock.kind === "value") return { id: nameOf(lock.value.token), holder: lock.value };
  const file = statSync(path, { throwIfNoEntry: false });
  return file && { id: `torn-${file.ino}-${Math.round(file.mtimeMs)}`, holder: undefined };
}

/** A token as a part of a file's name, since a foreign token may hold any character. */
const nameOf = (token: string): string => encodeURIComponent(token).slice(0, 100);
