import * as v from "valibot";
import { writeFileDurable } from "../../system/durable.ts";
import { readJsonFile } from "../../system/json-file.ts";
import { count } from "../../system/schemas.ts";

/** A process, told from a later one with its pid by its start time. */
export const processIdentity = v.object({ pid: count, start: v.string() });

// In all state files a field that earlier builds did not write is optional and has a default, so that their state counts.

/** A state file as its reader finds it: a value, no file, or content that cannot be relied on. */
export type StateFile<T> =
  | { kind: "value"; value: T }
  | { kind: "none" }
  | { kind: "unreadable"; reason: string };

/** Reads a state file against its schema. */
export function readState<S extends v.GenericSchema>(path: string, schema: S): StateFile<v.InferOutput<S>> {
  const file = readJsonFile(path, schema);
  return file.kind === "value" || file.kind === "none"
    ? file
    : { kind: "unreadable", reason: `${path}: ${file.problem}` };
}

/** Writes a state file durably. Only the process that holds the shard may write it. */
export function writeState<T extends { schema: string }>(path: string, state: T): void {
  writeFileDurable(path, `${JSON.stringify(state)}\n`);
}
