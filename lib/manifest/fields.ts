/** The bytes of a string in a line, its quotes included. */
interface StringSpan {
  start: number;
  end: number;
}

/** The bytes of a top-level field's value in a line of JSON. */
export interface FieldSpan extends StringSpan {
  name: string;
  /** The strings among the values in it: the value itself, or strings inside it. Keys are not among them. */
  strings: readonly StringSpan[];
}

const quote = 0x22;
const backslash = 0x5c;
const decoder = new TextDecoder();

/**
 * The top-level fields of a line, in their order. Nothing is checked: JSON.parse must have found the line to be one object.
 */
export function topLevelFields(line: Uint8Array): FieldSpan[] {
  const fields: FieldSpan[] = [];
  let strings: StringSpan[] = [];
  let name = "";
  let valueStart = -1;
  let valueEnd = -1;
  let depth = 0;
  const finish = () => {
    if (valueStart !== -1) fields.push({ name, start: valueStart, end: valueEnd, strings });
    strings = [];
    valueStart = -1;
  };
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] ?? 0;
    if (byte === quote) {
      const end = stringEnd(line, at);
      const isKey = nextMeaning(line, end) === 0x3a; // a colon
      if (isKey && depth === 1) {
        finish();
        name = JSON.parse(decoder.decode(line.subarray(at, end)));
        at = line.indexOf(0x3a, end);
        continue;
      }
      if (!isKey) strings.push({ start: at, end });
      if (valueStart === -1) valueStart = at;
      valueEnd = end;
      at = end - 1;
      continue;
    }
    if (byte <= 0x20 || (depth === 1 && byte === 0x2c)) continue;
    if ((byte === 0x7b || byte === 0x5b) && depth++ === 0) continue;
    if ((byte === 0x7d || byte === 0x5d) && --depth === 0) continue;
    if (valueStart === -1) valueStart = at;
    valueEnd = at + 1;
  }
  finish();
  return fields;
}

function stringEnd(line: Uint8Array, start: number): number {
  let at = start + 1;
  while (line[at] !== quote) at += line[at] === backslash ? 2 : 1;
  return at + 1;
}

function nextMeaning(line: Uint8Array, from: number): number {
  let at = from;
  while ((line[at] ?? 0x21) <= 0x20) at++;
  return line[at] ?? 0;
}
