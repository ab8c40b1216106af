import * as v from "valibot";
import { AtomicFile, readTextIfExists, removeIfExists, writeFileDurable } from "../system/durable.ts";
import { errnoOf, invalidInput } from "../system/errors.ts";
import { fileChunks, forEachLine } from "../system/lines.ts";
import { count } from "../system/schemas.ts";

const lineSchema = v.looseObject({ key: v.string(), size: v.nullable(count), reason: v.string() });

/**
 * An object at the source that cannot be carried to the destination as it is. A folder counts as one entry, of unknown size.
 */
export type UntransferableEntry = Pick<v.InferOutput<typeof lineSchema>, "key" | "size" | "reason">;

/** How much cannot be transferred. `bytes` counts the entries whose size is known. */
export interface Untransferable {
  objects: number;
  bytes: number;
  /** The first few entries. */
  examples: UntransferableEntry[];
}

const examplesMax = 3;

/** The count of an empty list. */
function noUntransferable(): Untransferable {
  return { objects: 0, bytes: 0, examples: [] };
}

/** The path of the list beside a manifest that names the objects which cannot be carried: manifest.untransferable.jsonl. */
export function untransferablePath(manifestPath: string): string {
  return `${manifestPath.replace(/\.jsonl$/, "")}.untransferable.jsonl`;
}

/** Writes the list that belongs to a manifest. An empty list has no file. */
export class UntransferableList {
  readonly totals: Untransferable = noUntransferable();
  readonly #path: string;
  #file: AtomicFile | undefined;

  constructor(manifestPath: string) {
    this.#path = untransferablePath(manifestPath);
  }

  add({ key, size, reason }: UntransferableEntry): void {
    this.#file ??= new AtomicFile(this.#path);
    this.#file.writeText(`${JSON.stringify({ key, size, reason })}\n`);
    countEntry(this.totals, { key, size, reason });
  }

  /** Gives the list its name. Call it before the manifest gets its own name, so that no manifest ever lacks its list. */
  commit(): void {
    if (this.#file) this.#file.commit();
    else removeIfExists(this.#path);
    this.#file = undefined;
  }

  abort(): void {
    this.#file?.abort();
    this.#file = undefined;
  }
}

/** Copies the list of a manifest to another manifest that is made of it. Call it before the other one gets its name. */
export function copyUntransferable(from: string, to: string): void {
  const text = readTextIfExists(untransferablePath(from));
  if (text === undefined) removeIfExists(untransferablePath(to));
  else writeFileDurable(untransferablePath(to), text);
}

function countEntry(totals: Untransferable, entry: UntransferableEntry): void {
  totals.objects++;
  totals.bytes += entry.size ?? 0;
  if (totals.examples.length < examplesMax) totals.examples.push(entry);
}

/** Counts the entries of the list beside a manifest. Throws invalid input, naming the line, for one that is no entry. */
export async function readUntransferable(manifestPath: string): Promise<Untransferable> {
  const path = untransferablePath(manifestPath);
  const totals = noUntransferable();
  const decoder = new TextDecoder();
  try {
    await forEachLine(fileChunks(path), ({ bytes, number }) => {
      const entry = parseLine(decoder.decode(bytes));
      if (!entry) throw invalidInput(`${path}:${number}: not a line of key, size and reason`);
      countEntry(totals, entry);
    });
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  return totals;
}

function parseLine(text: string): UntransferableEntry | undefined {
  try {
    const result = v.safeParse(lineSchema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
