import * as v from "valibot";
import { invalidInput } from "../system/errors.ts";
import { count } from "../system/schemas.ts";
import { pathProblem } from "./key.ts";

/** The schema name that every manifest record carries. */
export const manifestSchemaName = "xfer.manifest.v1";

/** The schema of a line of a manifest. */
export const recordSchema = v.looseObject({
  schema: v.literal(manifestSchemaName),
  run_id: v.string(),
  source_root: v.string(),
  dest_root: v.string(),
  source: v.string(),
  dest: v.string(),
  path: v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const problem = dataset.typed ? pathProblem(dataset.value) : undefined;
      if (problem) addIssue({ message: problem });
    }),
  ),
  size: count,
  mtime: v.nullable(v.string()),
  hashes: v.nullable(v.record(v.string(), v.string())),
  etag: v.nullable(v.string()),
  storage_class: v.nullable(v.string()),
  meta: v.nullable(v.record(v.string(), v.unknown())),
});

/** One object of a manifest, its fields in the order in which they are written; unknown fields are kept. */
export type ManifestRecord = v.InferOutput<typeof recordSchema>;

/** Whether a text is an MD5 in hexadecimal, in small letters or capitals. The ETag of an upload in parts is none. */
export function isMd5(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{32}$/i.test(text);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads one manifest line. Throws invalid input that names `where` (file:line) when the line is torn, is not JSON, is of
 * another schema, or holds a path that may not be used.
 */
export function parseRecord(line: Uint8Array, where: string): ManifestRecord {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(line));
  } catch (error) {
    const what = `not a manifest record: the line is torn or is not JSON: ${excerpt(line)}`;
    throw invalidInput(`${where}: ${what}`, { cause: error });
  }
  const result = v.safeParse(recordSchema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  const what = field === null ? issue.message : `field ${field}: ${issue.message}`;
  throw invalidInput(`${where}: not a record of schema ${manifestSchemaName}: ${what}: ${excerpt(line)}`);
}

function excerpt(line: Uint8Array): string {
  const text = new TextDecoder().decode(line.subarray(0, 120));
  return JSON.stringify(line.length > 120 ? `${text}...` : text);
}
