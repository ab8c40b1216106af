import { invalidInput } from "./errors.ts";
import { forEachLine } from "./lines.ts";

/** A row that is longer than this has lost a quote: the reader stops before it fills the memory. */
const rowBytesMax = 1024 * 1024;
const quote = 0x22;

/**
 * Calls `each` with the fields of every row of a CSV stream as RFC 4180 has it: fields in quotes may hold commas,
 * doubled quotes and line breaks, and rows end with LF or CRLF. `line` is the number of the row's first line, from 1. Empty
 * lines are left out. Throws invalid input, naming `name`:line, for a row that breaks these rules or is not UTF-8.
 */
export async function forEachCsvRow(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  each: (fields: string[], line: number) => void,
): Promise<void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let open: Uint8Array[] = [];
  let openBytes = 0;
  let firstLine = 0;
  const bad = (line: number, what: string) => invalidInput(`${name}:${line}: not a CSV row: ${what}`);
  const row = (bytes: Uint8Array, line: number) => {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      throw bad(line, "not UTF-8");
    }
    if (line === 1) text = text.replace(/^\ufeff/, "");
    if (text.endsWith("\r")) text = text.slice(0, -1);
    if (text === "") return;
    const fields = splitRow(text);
    if (typeof fields === "string") throw bad(line, fields);
    each(fields, line);
  };
  await forEachLine(chunks, ({ bytes, number }) => {
    const closes = hasOddQuotes(bytes);
    if (openBytes === 0 && !closes) return row(bytes, number);
    if (openBytes === 0) firstLine = number;
    open.push(bytes.slice(), new Uint8Array([0x0a]));
    openBytes += bytes.length + 1;
    if (openBytes > rowBytesMax) throw bad(firstLine, "a quote is not closed");
    const ends = closes && open.length > 2;
    if (!ends) return;
    const whole = Buffer.concat(open).subarray(0, -1);
    open = [];
    openBytes = 0;
    row(whole, firstLine);
  });
  if (openBytes > 0) throw bad(firstLine, "a quote is not closed");
}

/** Whether the number of quotes is odd. In a whole row it is even: a quote is doubled inside a field, or at both of its ends. */
function hasOddQuotes(bytes: Uint8Array): boolean {
  let odd = false;
  for (let at = bytes.indexOf(quote); at !== -1; at = bytes.indexOf(quote, at + 1)) odd = !odd;
  return odd;
}

/** The fields of a row, or what is wrong with it. */
function splitRow(text: string): string[] | string {
  if (!text.includes('"')) return text.split(",");
  const fields: string[] = [];
  for (let at = 0; at <= text.length; ) {
    if (text[at] !== '"') {
      const comma = text.indexOf(",", at);
      const end = comma === -1 ? text.length : comma;
      const field = text.slice(at, end);
      if (field.includes('"')) return "a quote inside a field that does not begin with one";
      fields.push(field);
      at = end + 1;
      continue;
    }
    let field = "";
    for (at++; ; at += 2) {
      const end = text.indexOf('"', at);
      if (end === -1) return "a quote is not closed";
      field += text.slice(at, end);
      at = end;
      if (text[end + 1] !== '"') break;
      field += '"';
    }
    if (at + 1 < text.length && text[at + 1] !== ",") return "text after a closing quote";
    fields.push(field);
    at += 2;
  }
  return fields;
}
