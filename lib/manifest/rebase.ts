import { dirname } from "node:path";
import { joinRoot } from "../rclone/root.ts";
import { writeWhole } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import type { ReadProgress } from "../system/line-blocks.ts";
import type { RecordBatch } from "./batch.ts";
import { DistinctKeys, duplicateKeyError, firstDuplicate } from "./distinct-keys.ts";
import { topLevelFields } from "./fields.ts";
import { KeptBatches } from "./kept-batches.ts";
import type { LineShape } from "./line-shape.ts";
import { forEachBatch } from "./read.ts";

/** The new roots of a manifest; undefined for a root that stays. */
interface NewRoots {
  sourceRoot: string | undefined;
  destRoot: string | undefined;
}

/** Takes rebased lines. Their bytes are valid only until `write` has returned, or its promise is resolved. */
export interface LineSink {
  write(lines: Uint8Array): void | Promise<void>;
}

/** A manifest to rebase, and its new roots. */
export interface RebaseOptions {
  /** A manifest, or "-" for standard input. */
  manifestPath: string;
  roots: NewRoots;
  onProgress?: ((progress: ReadProgress) => void) | undefined;
  stop?: AbortSignal | undefined;
}

/**
 * Writes the lines of a manifest with other roots to `sink`. Only source_root, dest_root, source and dest change; every other
 * byte stays. Returns the number of records. Throws invalid input, naming file and line, for a bad record, and at the end for
 * a key that is there twice. If a temporary file is needed, it is made in `folder`.
 */
export function rebaseLines(options: RebaseOptions, sink: LineSink, folder: string): Promise<number> {
  return rebase(options, sink, { folder });
}

async function rebase(
  options: RebaseOptions,
  sink: LineSink,
  { folder, written }: { folder: string; written?: () => string },
): Promise<number> {
  const { manifestPath, stop } = options;
  const rebaser = new Rebaser(options.roots);
  using keys = new DistinctKeys(folder);
  // Standard input can be read only once. The written lines have the same keys, unless they went to standard output.
  using kept = manifestPath === "-" && !written ? new KeptBatches(folder) : undefined;
  let records = 0;
  await forEachBatch(
    manifestPath,
    (batch) => {
      records += batch.count;
      keys.add(batch);
      kept?.add(batch);
      return sink.write(rebaser.rewrite(batch));
    },
    { onProgress: options.onProgress, stop },
  );
  const duplicates = await keys.duplicates(
    (each) =>
      kept?.forEach(each) ??
      forEachBatch(manifestPath === "-" ? (written?.() ?? "") : manifestPath, each, { stop }),
    stop,
  );
  const twice = firstDuplicate(duplicates);
  if (twice) throw duplicateKeyError(manifestPath, twice);
  if (records === 0)
    throw invalidInput(`${options.manifestPath}: the manifest is empty: there is nothing to rebase`);
  return records;
}

/** Rebases a manifest into a file that appears whole or not at all. Returns the number of records. */
export function rebaseManifest(options: RebaseOptions, out: string): Promise<number> {
  return writeWhole(out, (file) =>
    rebase(options, file, { folder: dirname(out), written: () => file.written() }),
  );
}

/** The start of a shape's lines with other roots. */
interface RebasedShape {
  head: Buffer;
  middle: Buffer;
}

const encoder = new TextEncoder();
/** How many shapes are remembered. A manifest has a few. */
const shapesMax = 64;

/** Rewrites batches of lines into a buffer of its own. */
class Rebaser {
  readonly #roots: NewRoots;
  readonly #shapes = new Map<LineShape, RebasedShape>();
  #out = Buffer.allocUnsafe(1024 * 1024);
  #used = 0;

  constructor(roots: NewRoots) {
    this.#roots = roots;
  }

  rewrite(batch: RecordBatch): Uint8Array {
    const { bytes, count, lineStart, keyStart, keyEnd, shape } = batch;
    this.#used = 0;
    let known: LineShape | undefined;
    let rebased: RebasedShape | undefined;
    for (let row = 0; row < count; row++) {
      const start = lineStart[row] as number;
      const end = lineStart[row + 1] as number;
      const own = shape[row];
      if (own === undefined) {
        this.#put(this.#rebaseFields(bytes.subarray(start, end), batch.parsed.get(row)?.path ?? ""));
        continue;
      }
      if (own !== known || rebased === undefined) {
        known = own;
        rebased = this.#rebasedShape(own);
      }
      const key = keyStart[row] as number;
      const length = (keyEnd[row] as number) - key;
      const restStart = key - own.pathLabel.bytes.length;
      const { head, middle } = rebased;
      this.#reserve(head.length + length + middle.length + length + end - restStart);
      const out = this.#out;
      let used = this.#used;
      used += head.copy(out, used);
      used += bytes.copy(out, used, key, key + length);
      used += middle.copy(out, used);
      // Nothing changes from the key in dest to the end of the line.
      used += bytes.copy(out, used, restStart - length, end);
      this.#used = used;
    }
    return this.#out.subarray(0, this.#used);
  }

  #put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#out.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#used + more, this.#out.length * 2));
    this.#out.copy(larger, 0, 0, this.#used);
    this.#out = larger;
  }

  #rebasedShape(shape: LineShape): RebasedShape {
    const known = this.#shapes.get(shape);
    if (known) return known;
    // Both literals begin or end inside a string. Closed again, they are objects whose fields can be replaced.
    const close = encoder.encode('"}');
    const open = encoder.encode('{"source":"');
    const head = this.#rebaseFields(Buffer.concat([shape.head.bytes, close]), "");
    const middle = this.#rebaseFields(Buffer.concat([open, shape.middle.bytes, close]), undefined);
    const rebased = {
      head: Buffer.from(head.subarray(0, head.length - close.length)),
      middle: Buffer.from(middle.subarray(open.length, middle.length - close.length)),
    };
    if (this.#shapes.size >= shapesMax) this.#shapes.clear();
    this.#shapes.set(shape, rebased);
    return rebased;
  }

  /** A line with its fields replaced. `source` is replaced only where its path is known. */
  #rebaseFields(line: Uint8Array, path: string | undefined): Uint8Array {
    const { sourceRoot, destRoot } = this.#roots;
    const values: Record<string, string | undefined> = {
      source_root: sourceRoot,
      dest_root: destRoot,
      source: sourceRoot === undefined || path === undefined ? undefined : joinRoot(sourceRoot, path),
      dest: destRoot === undefined ? undefined : joinRoot(destRoot, path ?? ""),
    };
    const parts: Uint8Array[] = [];
    let from = 0;
    for (const { name, start, end } of topLevelFields(line)) {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) continue;
      parts.push(line.subarray(from, start), encoder.encode(JSON.stringify(value)));
      from = end;
    }
    return Buffer.concat([...parts, line.subarray(from)]);
  }
}
