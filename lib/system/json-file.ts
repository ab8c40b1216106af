import * as v from "valibot";
import { readTextIfExists } from "./durable.ts";

/** The content of a file that should hold one JSON value. */
export type JsonFile<T> =
  | { kind: "value"; value: T }
  | { kind: "none" }
  /** The file is empty or no JSON: its writer may have died. */
  | { kind: "torn"; problem: string }
  /** The file is JSON of another schema. */
  | { kind: "foreign"; problem: string };

/** Reads a file of one JSON value. Throws only errors of the system; a `problem` names neither the file nor the mend. */
export function readJsonFile<S extends v.GenericSchema>(path: string, schema: S): JsonFile<v.InferOutput<S>> {
  const text = readTextIfExists(path);
  if (text === undefined) return { kind: "none" };
  if (text.trim() === "") return { kind: "torn", problem: "is empty" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "torn", problem: "is torn or is not JSON" };
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return { kind: "value", value: result.output };
  return { kind: "foreign", problem: problemOf(result.issues[0]) };
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue) ?? "";
  // Of a field that it does not know, a strict schema says that it expected "never".
  if (issue.expected === "never") return `it has the field ${field}, which this xfer does not know`;
  if (field === "") return issue.message;
  return issue.received === "undefined" ? `${field} is missing` : `${field} ${issue.message}`;
}
