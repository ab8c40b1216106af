import * as v from "valibot";
import { AtomicFile, readTextIfAny, removeIfAny, writeFileDurable } from "../system/durable.ts";
import { errnoOf, invalidInput } from "../system/errors.ts";
import { fileChunks, forEachLine } from "../system/lines.ts";
import { count } from "../system/schemas.ts";

const lineSchema = v.looseObject({ key: v.string(), size: v.nullable(count), reason: v.string() });

/** What is at the source and cannot be carried to the destination as it is; a folder counts as one, of unknown size. */
export type UntransferableEntry = Pick<v.InferOutput<typeof lineSchema>, "key" | "size" | "reason">;

/** How much cannot be transferred. Bytes are those of the entries whose size is known. */
export interface Untransferable {
  objects: number;
  bytes: number;
  /** The first few. */
  examples: UntransferableEntry[];
}

const examplesMax = 3;

/** Nothing that cannot be transferred. */
function noUntransferable(): Untransferable {
  return { objects: 0, bytes: 0, examples: [] };
}

/** The list of what a manifest leaves out since it cannot be carried: manifest.untransferable.jsonl beside it. */
export function untransferablePath(manifestPath: string): string {
  return `${manifestPath.replace(/\.jsonl$/, "")}.untransferable.jsonl`;
}

/** Writes the list that belongs to a manifest; there is no file when nothing is in it. */
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

  /** Gives the list its name; to be called before the manifest gets its own, which then never lacks its list. */
  commit(): void {
    if (this.#file) this.#file.commit();
    else removeIfAny(this.#path);
    this.#file = undefined;
  }

  abort(): void {
    this.#file?.abort();
    this.#file = undefined;
  }
}

/** Gives a manifest that is made of another one the list of what that one leaves out; the list comes first. */
export function copyUntransferable(from: string, to: string): void {
  const text = readTextIfAny(untransferablePath(from));
  if (text === undefined) removeIfAny(untransferablePath(to));
  else writeFileDurable(untransferablePath(to), text);
}

function countEntry(totals: Untransferable, entry: UntransferableEntry): void {
  totals.objects++;
  totals.bytes += entry.size ?? 0;
  if (totals.examples.length < examplesMax) totals.examples.push(entry);
}

/** Counts what the list beside a manifest holds. Throws invalid input, naming the line, when one is not of its form. */
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
