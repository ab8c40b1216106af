import { type FieldSpan, topLevelFields } from "./fields.ts";

/**
 * Bytes that every line of a shape has at one place, as numbers of 64 bits for comparing eight at a time. They are no
 * control characters, so that equal numbers are equal bytes: only the bytes of 0 and -0 differ.
 */
export interface Literal {
  bytes: Uint8Array;
  doubles: Float64Array;
  /** The last eight bytes, which may overlap the last of `doubles`; 0 when there are fewer. */
  lastDouble: number;
}

/** What follows the size in a line: literals with a string's content between each two. */
export interface TailShape {
  literals: readonly Literal[];
}

/**
 * How one writer makes the lines of one manifest: `head KEY middle KEY pathLabel KEY sizeLabel SIZE tail`, where KEY is
 * the object's key as the writer escapes it: in `source`, in `dest` and in `path`.
 */
export interface LineShape {
  head: Literal;
  middle: Literal;
  pathLabel: Literal;
  sizeLabel: Literal;
  tail: TailShape;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function literalOf(bytes: Uint8Array): Literal {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const doubles = Float64Array.from({ length: bytes.length >> 3 }, (_, i) => view.getFloat64(i * 8, true));
  return { bytes, doubles, lastDouble: bytes.length < 8 ? 0 : view.getFloat64(bytes.length - 8, true) };
}

const leadingFields = ["schema", "run_id", "source_root", "dest_root", "source", "dest", "path", "size"];

/**
 * The shape of a line that is a valid record, its newline included; undefined when it has none: another order of
 * fields, a field twice, or a `source` or `dest` that does not end with the path.
 */
export function shapeOfLine(line: Uint8Array): LineShape | undefined {
  const fields = topLevelFields(line);
  const [source, dest, path, size] = fields.slice(4, 8);
  if (!source || !dest || !path || !size) return undefined;
  if (leadingFields.some((name, i) => fields[i]?.name !== name)) return undefined;
  if (new Set(fields.map(({ name }) => name)).size !== fields.length) return undefined;
  const key = line.subarray(path.start + 1, path.end - 1);
  const sourceKey = keyStart(line, source, key);
  const destKey = keyStart(line, dest, key);
  if (sourceKey === undefined || destKey === undefined || key.length === 0) return undefined;
  const tail = tailOf(line.slice(size.end), fields.slice(8), size.end);
  const literal = (start: number, end: number) => literalOf(line.slice(start, end));
  return {
    head: literal(0, sourceKey),
    middle: literal(sourceKey + key.length, destKey),
    pathLabel: literal(destKey + key.length, path.start + 1),
    sizeLabel: literal(path.end - 1, size.start),
    tail,
  };
}

/** Where the key begins in a value that ends with it, if what stands before it is a whole string by itself. */
function keyStart(line: Uint8Array, field: FieldSpan, key: Uint8Array): number | undefined {
  const start = field.end - 1 - key.length;
  if (start <= field.start || !equals(line.subarray(start, field.end - 1), key)) return undefined;
  try {
    // An escape that the prefix only begins would join with whatever key follows.
    JSON.parse(`${decoder.decode(line.subarray(field.start, start))}"`);
    return start;
  } catch {
    return undefined;
  }
}

/** Cuts a tail at the strings that are values; anything that is not a string is taken as it is. */
function tailOf(tail: Uint8Array, fields: readonly FieldSpan[], offset: number): TailShape {
  const literals: Literal[] = [];
  let from = 0;
  for (const field of fields) {
    for (const value of field.strings) {
      const start = value.start - offset + 1;
      literals.push(literalOf(tail.subarray(from, start)));
      from = value.end - offset - 1;
    }
  }
  literals.push(literalOf(tail.subarray(from)));
  return { literals };
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
