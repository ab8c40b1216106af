import * as v from "valibot";
import { writeFileDurable } from "../../system/durable.ts";
import { readJsonFile } from "../../system/json-file.ts";
import { count } from "../../system/schemas.ts";

/** A process that is told from a later one of its pid. */
export const processIdentity = v.object({ pid: count, start: v.string() });

// In all of these, a field that came after the schema's first writer is optional, with its default: the state of an
// earlier build counts.

/** What a reader finds in a state file: a value, nothing, or something that is not to be relied on. */
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

/** Writes a state file durably; the process that owns the shard is its one writer. */
export function writeState<T extends { schema: string }>(path: string, state: T): void {
  writeFileDurable(path, `${JSON.stringify(state)}\n`);
}
