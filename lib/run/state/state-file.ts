import * as v from "valibot";
import { readTextIfAny, writeFileDurable } from "../../system/durable.ts";

/** A number of objects, bytes or the like. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A SHA-256, hexadecimal. */
export const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

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
  const text = readTextIfAny(path);
  if (text === undefined) return { kind: "none" };
  if (text.trim() === "") return { kind: "unreadable", reason: `${path}: is empty` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "unreadable", reason: `${path}: is torn or is not JSON` };
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return { kind: "value", value: result.output };
  const issue = result.issues[0];
  return { kind: "unreadable", reason: `${path}: ${v.getDotPath(issue) ?? ""} ${issue.message}` };
}

/** Writes a state file durably; the process that owns the shard is its one writer. */
export function writeState<T extends { schema: string }>(path: string, state: T): void {
  writeFileDurable(path, `${JSON.stringify(state)}\n`);
}
