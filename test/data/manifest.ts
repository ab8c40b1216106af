import { closeSync, openSync, writeSync } from "node:fs";
import { seededRandom } from "./fill.ts";

/** A record as xfer writes it. */
export function recordOf({ path, size }: { path: string; size: number }): Record<string, unknown> {
  return {
    schema: "xfer.manifest.v1",
    run_id: "20261122T081500Z_a1b2c3",
    source_root: "src:bucket/set",
    dest_root: "dst:bucket/set",
    source: `src:bucket/set/${path}`,
    dest: `dst:bucket/set/${path}`,
    path,
    size,
    mtime: "2026-01-01T00:00:00.000000000Z",
    hashes: {},
    etag: null,
    storage_class: null,
    meta: {},
  };
}

/** The line of a record, with its newline. */
export function recordLine(object: { path: string; size: number }): string {
  return `${JSON.stringify(recordOf(object))}\n`;
}

/** A line with non-ASCII characters and `<`, `>`, `&` escaped, as other writers print it. */
export function escapedLine(object: { path: string; size: number }): string {
  return recordLine(object).replace(
    /[^\x00-\x7f]|[<>&]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Names that are awkward in JSON: its own syntax, escapes, letters outside the basic plane. */
export const awkwardNames = [
  '{"size":1,"path":"x"}',
  'a","size":99,"b',
  "back\\slash\\",
  "trailing\\\\",
  "a<b>&c",
  "\u{1f600}/\u{10ffff}",
  "nfc-\u00e9/nfd-e\u0301",
  "..a/b..c/d...",
  "tab\tin\u0001name",
  "\u2028\u2029\u007f\u0080",
  "size",
  "u0041\\u0041",
] as const;

/** Sizes as data sets have them: most small, few large, by a Pareto distribution. */
export function paretoSize(random: () => number): number {
  return Math.floor(Math.min(4096 / (1 - random()) ** (1 / 1.1), 2 ** 42));
}

/** An object of a seeded data set. */
interface SeededObject {
  key: string;
  size: number;
  md5: string;
}

/** Objects of a data set, the same for the same seed. */
function* seededObjects(records: number, seed: number): Generator<SeededObject> {
  const random = seededRandom(seed);
  for (let i = 0; i < records; i++) {
    const key = `set-${Math.floor(i / 50_000)}/run-${Math.floor(i / 800)}/object-${String(i).padStart(8, "0")}.dat`;
    const hash = Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
    yield { key, size: paretoSize(random), md5: hash.repeat(4) };
  }
}

/** Writes a manifest of `records` lines of about 400 bytes, the same for the same seed; returns its bytes. */
export function writeSeededManifest(path: string, records: number, seed: number): number {
  return writeTexts(path, seededLines(records, seed));
}

function* seededLines(records: number, seed: number): Generator<string> {
  for (const { key, size, md5 } of seededObjects(records, seed)) {
    yield `{"schema":"xfer.manifest.v1","run_id":"20261122T081500Z_a1b2c3","source_root":"src:bucket/set",` +
      `"dest_root":"dst:bucket/set","source":"src:bucket/set/${key}","dest":"dst:bucket/set/${key}","path":"${key}",` +
      `"size":${size},"mtime":"2026-01-01T00:00:00.000000000Z","hashes":{"md5":"${md5}"},` +
      `"etag":null,"storage_class":null,"meta":{}}\n`;
  }
}

/** Writes what `rclone lsjson` prints of the objects of writeSeededManifest; returns its bytes. */
export function writeSeededListing(
  path: string,
  records: number,
  { seed, hashes }: { seed: number; hashes: boolean },
): number {
  return writeTexts(path, seededEntries(records, seed, hashes));
}

function* seededEntries(records: number, seed: number, hashes: boolean): Generator<string> {
  yield "[\n";
  let between = "";
  for (const { key, size, md5 } of seededObjects(records, seed)) {
    const name = key.slice(key.lastIndexOf("/") + 1);
    const hash = hashes ? `,"Hashes":{"md5":"${md5}"}` : "";
    yield `${between}{"Path":"${key}","Name":"${name}","Size":${size},"ModTime":"2026-01-01T00:00:00.000000000Z","IsDir":false${hash}}`;
    between = ",\n";
  }
  yield "\n]\n";
}

function writeTexts(path: string, texts: Iterable<string>): number {
  const fd = openSync(path, "w");
  let bytes = 0;
  try {
    let held = "";
    for (const text of texts) {
      held += text;
      if (held.length < 1_000_000) continue;
      bytes += writeSync(fd, held);
      held = "";
    }
    return bytes + writeSync(fd, held);
  } finally {
    closeSync(fd);
  }
}
