import { type FieldSpan, topLevelFields } from "./fields.ts";

/**
 * Bytes that all lines of a shape have in common, also as numbers of 64 bits, so that eight of them are compared in one step.
 * None of them is a control character, and equal numbers are therefore equal bytes: only the bytes of 0 and -0 differ.
 */
export interface Literal {
  bytes: Uint8Array;
  doubles: Float64Array;
  /** The last eight bytes, which may overlap the last of `doubles`; 0 when there are fewer than eight. */
  lastDouble: number;
}

/** The part of a line after the size: literals, with the content of a string between each two of them. */
export interface TailShape {
  literals: readonly Literal[];
}

/**
 * The form that one writer gives to the lines of a manifest: `head KEY middle KEY pathLabel KEY sizeLabel SIZE tail`. KEY is
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
 * The shape of a line, its newline included, that is a valid record. Undefined for a line without a shape: one with another
 * order of fields, a field twice, or a `source` or `dest` that does not end with the path.
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

/** The start of the key in a value that ends with it; undefined when the text before it is no whole string by itself. */
function keyStart(line: Uint8Array, field: FieldSpan, key: Uint8Array): number | undefined {
  const start = field.end - 1 - key.length;
  if (start <= field.start || !equals(line.subarray(start, field.end - 1), key)) return undefined;
  try {
    // An escape that is cut here would go on in the key that follows, whatever that is.
    JSON.parse(`${decoder.decode(line.subarray(field.start, start))}"`);
    return start;
  } catch {
    return undefined;
  }
}

/** Cuts a tail at the strings among its values. All else becomes literals. */
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
