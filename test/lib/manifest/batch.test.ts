import { expect, test } from "bun:test";
import { BatchScanner, keyText } from "../../../lib/manifest/batch.ts";
import { parseRecord } from "../../../lib/manifest/record.ts";
import { seededRandom } from "../../data/fill.ts";
import { hostileNames } from "../../data/hostile-names.ts";
import { awkwardNames, escapedLine, recordLine, recordOf } from "../../data/manifest.ts";

/** What the scanner makes of lines that end with newlines: the rows, or the message of its error. */
function scan(text: string | Uint8Array) {
  const bytes = Buffer.from(text);
  try {
    const batch = new BatchScanner("m").scan({ bytes, start: 0, end: bytes.length, firstLine: 1 });
    const rows = Array.from({ length: batch.count }, (_, row) => ({
      key: keyText(batch, row),
      size: batch.size[row],
      parsed: batch.parsed.has(row),
      line: bytes.subarray(batch.lineStart[row], batch.lineStart[row + 1]).toString("latin1"),
    }));
    return { rows };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

const names = [...hostileNames(), ...awkwardNames, "plain/name.dat"];

for (const [form, lineOf] of [
  ["raw", recordLine],
  ["escaped", escapedLine],
] as const) {
  test(`every awkward name is read as it is, ${form}`, () => {
    const lines = names.map((path, size) => lineOf({ path, size }));
    const { rows } = scan(lines.join(""));
    expect(rows?.map(({ key, size }) => [key, size])).toEqual(names.map((path, size) => [path, size]));
    expect(rows?.map(({ line }) => line)).toEqual(lines.map((line) => Buffer.from(line).toString("latin1")));
  });
}

test("lines of one writer are not parsed one by one, whatever their strings and sizes", () => {
  const lines = Array.from({ length: 100 }, (_, i) => {
    const record = recordOf({ path: `dir-${i % 7}/\u00e9-${i}.dat`, size: i * 1e9 });
    if (i % 2 === 0) record.hashes = { md5: `${i}`.repeat(16) };
    if (i % 3 === 0) record.storage_class = "GLACIER";
    return `${JSON.stringify({ ...record, owner: `o${i}` })}\n`;
  });
  const { rows } = scan(lines.join(""));
  expect(rows?.filter(({ parsed }) => parsed).length).toBe(4);
});

test("fields in another order, blanks and unknown fields are read too", () => {
  const record = recordOf({ path: "a/b", size: 7 });
  const reversed = Object.fromEntries(Object.entries(record).reverse());
  const lines = [
    JSON.stringify(record),
    JSON.stringify(reversed),
    JSON.stringify(record).replaceAll('":', '": ').replaceAll(',"', ', "'),
    JSON.stringify({ unknown: { size: 1, path: "../x" }, ...record, more: ["/", { path: "/" }] }),
    `  ${JSON.stringify(record)}\r`,
  ];
  const { rows } = scan(`${lines.join("\n")}\n`);
  expect(rows?.map(({ key, size }) => [key, size])).toEqual(lines.map(() => ["a/b", 7]));
});

/** [what is wrong, the line after two good ones, what the error says] */
const bad: [string, string, RegExp][] = [
  ["a path that goes up", recordLine({ path: "a/../b", size: 1 }), /m:3: .*'\.\.' component/],
  [
    "the same, escaped",
    recordLine({ path: "a/XX/b", size: 1 }).replaceAll("XX", "\\u002e."),
    /m:3: .*'\.\.' component/,
  ],
  [
    "the same, with an escaped slash",
    recordLine({ path: "a/..XXb", size: 1 }).replaceAll("XX", "\\/"),
    /m:3: .*'\.\.'/,
  ],
  ["an absolute path", recordLine({ path: "/a", size: 1 }), /m:3: .*absolute/],
  ["the same, escaped", recordLine({ path: "XXa", size: 1 }).replaceAll("XX", "\\u002f"), /m:3: .*absolute/],
  ["an empty path", recordLine({ path: "", size: 1 }), /m:3: .*empty/],
  ["a line break in a path", recordLine({ path: "a\nb", size: 1 }), /m:3: .*line break/],
  ["a NUL in a path", recordLine({ path: "a\u0000b", size: 1 }), /m:3: .*NUL/],
  [
    "a second path that goes up",
    recordLine({ path: "a", size: 1 }).replace('"meta":{}', '"meta":{},"path":"../a"'),
    /m:3/,
  ],
  ["a negative size", recordLine({ path: "a", size: -1 }), /m:3: .*field size/],
  ["a size that is no integer", recordLine({ path: "a", size: 1.5 }), /m:3: .*field size/],
  ["a size above 2^53", recordLine({ path: "a", size: 1e16 }), /m:3: .*field size/],
  [
    "a size with a leading zero",
    recordLine({ path: "a", size: 7 }).replace(":7,", ":07,"),
    /m:3: .*not JSON/,
  ],
  [
    "a control character in a string",
    recordLine({ path: "a", size: 7 }).replace("2026-01", "2026\u0001"),
    /m:3: .*not JSON/,
  ],
  [
    "an escape that JSON has not",
    recordLine({ path: "aXX", size: 7 }).replaceAll("XX", "\\x41"),
    /m:3: .*not JSON/,
  ],
  ["an unfinished escape", recordLine({ path: "aXX", size: 7 }).replaceAll("XX", "\\u00"), /m:3: .*not JSON/],
  [
    "another schema",
    recordLine({ path: "a", size: 7 }).replace("manifest.v1", "manifest.v2"),
    /m:3: .*field schema/,
  ],
  [
    "other roots",
    recordLine({ path: "a", size: 7 }).replaceAll("dst:", "other:"),
    /m:3: .*other roots than line 1/,
  ],
  ["a torn line", `${recordLine({ path: "a", size: 7 }).slice(0, 200)}\n`, /m:3: .*torn or is not JSON/],
  ["an empty line", "\n", /m:3: .*torn or is not JSON/],
  ["more after the record", recordLine({ path: "a", size: 7 }).replace("}\n", "}}\n"), /m:3: .*not JSON/],
];

for (const [what, line, message] of bad) {
  test(`${what} is refused, and the line is named`, () => {
    const good = recordLine({ path: "good/one", size: 1 }) + recordLine({ path: "good/two", size: 2 });
    expect(scan(good + line + recordLine({ path: "good/three", size: 3 })).error).toMatch(message);
  });
}

test("invalid UTF-8 is refused, and the line is named", () => {
  const good = Buffer.from(recordLine({ path: "good/one", size: 1 }).repeat(3));
  const line = Buffer.from(recordLine({ path: "a\u00e9b", size: 1 }));
  line[line.lastIndexOf(0xa9)] = 0x41;
  expect(scan(Buffer.concat([good, line, good])).error).toMatch(/m:4: .*torn or is not JSON/);
});

test("what the comparison by bytes accepts, the parser accepts, with the same key and size", () => {
  const random = seededRandom(11);
  const alphabet = Buffer.from('"\\/.,:{}[]u0129e-+ \u0001\u00e9tnr\n');
  let accepted = 0;
  let refused = 0;
  for (let round = 0; round < 30_000; round++) {
    const name = names[Math.floor(random() * names.length)] ?? "";
    const lineOf = random() < 0.5 ? recordLine : escapedLine;
    const first = Buffer.from(lineOf({ path: name, size: Math.floor(random() * 1e6) }));
    const line = Buffer.from(lineOf({ path: `x/${name}`, size: Math.floor(random() * 1e6) }));
    for (let change = 0; change <= random() * 3; change++) {
      line[Math.floor(random() * (line.length - 1))] = alphabet[Math.floor(random() * alphabet.length)] ?? 0;
    }
    const { rows, error } = scan(Buffer.concat([first, line]));
    const pieces = line.subarray(0, -1).toString("latin1").split("\n");
    if (!rows) {
      refused++;
      // The one thing that the parser does not look at is whether the roots are those of the line before.
      if (!error?.includes("other roots")) expect(() => parsePieces(pieces)).toThrow();
      continue;
    }
    accepted++;
    expect(rows.slice(1).map(({ key, size }) => ({ path: key, size }))).toEqual(parsePieces(pieces));
  }
  expect(accepted).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1000);
});

function parsePieces(pieces: string[]): { path: string; size: number }[] {
  return pieces.map((piece) => {
    const { path, size } = parseRecord(Buffer.from(piece, "latin1"), "m");
    return { path, size };
  });
}
