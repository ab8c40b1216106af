import { describe, expect, test } from "bun:test";
import { pathProblem } from "../../../lib/manifest/key.ts";
import { type AddressFacts, untransferableReason, versionOf } from "../../../lib/rclone/addressable.ts";
import { controlNames, hostileNames, listedName } from "../../data/hostile-names.ts";

const kinds = ["s3", "posix", "other"] as const;
const versions = [[1, 60], [1, 74], [1, 75], [2, 0], undefined] as const;
const everywhere: AddressFacts[] = kinds.flatMap((source) =>
  kinds.flatMap((dest) => versions.map((version) => ({ source, dest, version }))),
);

/** Where a listed key is refused, of all nine pairs of kinds and all versions: `s3>posix`, or with a version. */
function refusedAt(key: string): string[] {
  const at = new Map<string, string[]>();
  for (const facts of everywhere) {
    if (untransferableReason(key, facts) === undefined) continue;
    const pair = `${facts.source}>${facts.dest}`;
    at.set(pair, [...(at.get(pair) ?? []), facts.version?.join(".") ?? "unknown"]);
  }
  return [...at].flatMap(([pair, list]) =>
    list.length === versions.length ? [pair] : list.map((version) => `${pair} ${version}`),
  );
}

const all = kinds.flatMap((source) => kinds.map((dest) => `${source}>${dest}`));
const anyTo = (...dests: string[]) => all.filter((pair) => dests.some((dest) => pair.endsWith(`>${dest}`)));

describe("a listed key that is refused between any two places", () => {
  const table: [string, RegExp][] = [
    ["", /is empty/],
    ["/lead", /begins with a slash/],
    ["//x", /begins with a slash/],
    ["/", /begins with a slash/],
    ["t/", /ends in a slash/],
    ["a//", /ends in a slash/],
    [".", /component '\.'/],
    ["..", /component '\.'/],
    ["x/.", /component '\.'/],
    ["x/../y", /component '\.'/],
    ["./x", /component '\.'/],
    ["a\nb", /line break/],
    ["a\rb", /line break/],
    ["a\0b", /NUL/],
    ["q/‛‛", /U\+201B/],
    ["q/‛‛x", /U\+201B/],
    ["q/‛x", /U\+201B/],
    ["q/‛", /U\+201B/],
    ["c/x‛‛␁y", /U\+201B/],
    ["c/‛␁‛‛", /U\+201B/],
    ["d/‛．x", /U\+201B/],
    ["c/‛␠", /U\+201B/],
    ["f/M\ufffdller", /U\+FFFD/],
    ["half \ud83d", /half a character/],
  ];
  test.each(table)("%j", (key, reason) => {
    expect(refusedAt(key)).toEqual(all);
    expect(untransferableReason(key, { source: "s3", dest: "s3", version: [1, 76] })).toMatch(reason);
  });
});

test("an empty component is kept from 1.75 on, between two S3 stores alone", () => {
  for (const key of ["a//b", "a///b", "a/b//c", "e//.hidden"]) {
    const kept = ["s3>s3 1.60", "s3>s3 1.74", "s3>s3 unknown"];
    expect(refusedAt(key)).toEqual([...kept, ...all.filter((pair) => pair !== "s3>s3")]);
  }
  // Another rule still counts.
  expect(refusedAt("a//‛‛")).toEqual(all);
  expect(untransferableReason("a//b", { source: "s3", dest: "s3", version: [1, 60] })).toMatch(
    /before 1\.75/,
  );
  expect(untransferableReason("a//b", { source: "s3", dest: "posix", version: [1, 76] })).toMatch(
    /writes a\/b/,
  );
});

test("components of full-width stops are refused where the source can hold '.' and '..'", () => {
  for (const key of ["．", "．．", "x/．", "x/．．/y", "．/x"]) {
    expect(refusedAt(key)).toEqual(all.filter((pair) => !/^posix>(?:s3|posix)$/.test(pair)));
  }
  for (const key of ["．．．", "x．", "．x", "x/.．", "d/‛．", "d/‛．‛．/x"])
    expect(refusedAt(key)).toEqual([]);
});

test("U+2400 is refused where the source can hold a NUL", () => {
  for (const key of ["␀", "c/x␀y", "c/‛␀␀"]) {
    expect(refusedAt(key)).toEqual(all.filter((pair) => !pair.startsWith("posix>")));
  }
  expect(refusedAt("c/x‛␀y")).toEqual([]);
});

describe("lengths", () => {
  const name = (bytes: number) => "n".repeat(bytes);

  test("a name of more than 255 bytes, as it is listed, goes to S3 only", () => {
    for (const key of [name(256), `d/${name(256)}`, `${name(256)}/x`, `d/${"é".repeat(128)}`]) {
      expect(refusedAt(key)).toEqual(anyTo("posix", "other"));
    }
    expect(refusedAt(`longc/${"␁".repeat(86)}`)).toEqual(anyTo("posix", "other"));
    for (const key of [name(255), `d/${name(255)}/${name(255)}`, `d/${"é".repeat(127)}x`, "␁".repeat(85)]) {
      expect(refusedAt(key)).toEqual([]);
    }
  });

  test("a key of more than 1,024 bytes goes to POSIX only", () => {
    const key = (bytes: number) => `${`${name(99)}/`.repeat(11).slice(0, bytes - 1)}k`;
    expect(refusedAt(key(1025))).toEqual(anyTo("s3", "other"));
    expect(refusedAt(key(1024))).toEqual([]);
    // A stand-in is one byte in the store, and one that is quoted is itself there: 3.
    const parts = (text: string, count: number) => Array(count).fill(text).join("/");
    expect(refusedAt(parts("␁".repeat(84), 12))).toEqual([]);
    expect(refusedAt(parts("‛␁".repeat(42), 8))).toEqual([]);
    expect(refusedAt(parts("‛␁".repeat(42), 9))).toEqual(anyTo("s3", "other"));
  });
});

test("all other names are carried, hostile as they may look", () => {
  const symbols = Array.from({ length: 0x27 }, (_, i) => String.fromCharCode(0x2400 + i));
  const plain = [
    ...[...hostileNames(), ...controlNames].map(listedName),
    ...symbols.slice(1).map((symbol) => `c/x${symbol}y`),
    ...symbols.slice(0, 0x20).map((symbol) => `c/‛${symbol}`),
    ...[
      "c/‛␡",
      "w/a／b",
      "w/a‛／b",
      "／",
      "b/a＼b",
      "b/a\\b",
      "...",
      "d/...",
      ".hidden",
      "d/..b",
      "d/b..",
      "d./x",
    ],
    ...[
      "C:\\x",
      "a:b/c",
      "：",
      "\ufeffx",
      " ",
      "d/ /x",
      "trail ",
      "trail.",
      "#x",
      ";x",
      "p/%2F",
      "p/+",
      "p/~",
    ],
    ...["p/😀", "p/\u{10ffff}", "p/\uffff", "NFC-\u00e9", "NFC-e\u0301", "x.partial", "-dash", "--flag"],
  ];
  expect(plain.filter((key) => refusedAt(key).length > 0)).toEqual([]);
});

test("what a manifest refuses is refused", () => {
  const keys = ["", "/", "/a", "..", "../a", "a/..", "a/../b", "a\nb", "\r", "a\0", "a/..\n"];
  for (const key of keys) {
    expect(pathProblem(key)).toBeDefined();
    expect(refusedAt(key)).toEqual(all);
  }
});

test("rclone's version is read from its own name for itself", () => {
  const rows: [string | undefined, [number, number] | null][] = [
    ["1.60.1-DEV", [1, 60]],
    ["1.75.2", [1, 75]],
    ["2.0", [2, 0]],
    ["beta 1.60", null],
    ["", null],
    [undefined, null],
  ];
  for (const [text, version] of rows) expect(versionOf(text)).toEqual(version);
});

test("lengths are of the listed bytes of one name, wherever it stands, and of the whole key", () => {
  const toPosix: AddressFacts = { source: "s3", dest: "posix", version: [1, 76] };
  const toS3: AddressFacts = { source: "s3", dest: "s3", version: [1, 76] };
  const fits = (key: string, facts: AddressFacts) => untransferableReason(key, facts) === undefined;
  const [name, long] = ["n".repeat(255), "n".repeat(256)];
  expect([`${name}/${name}/${name}`, `a/${"é".repeat(127)}x`].map((key) => fits(key, toPosix))).toEqual([
    true,
    true,
  ]);
  for (const key of [long, `${long}/a`, `a/${long}`, `a/b/${long}/c`, `a/${"é".repeat(128)}`]) {
    expect(fits(key, toPosix)).toBe(false);
    expect(fits(key, toS3)).toBe(true);
  }
  const deep = `${"d/".repeat(511)}ab`;
  expect(deep).toHaveLength(1024);
  expect([deep, `${deep}c`].map((key) => fits(key, toS3))).toEqual([true, false]);
  // A stand-in is one byte in the store, a quoted one its own three.
  expect(fits(`${deep.slice(0, -1)}\u2401`, toS3)).toBe(true);
  expect(fits(`${deep.slice(0, -3)}\u201b\u2401`, toS3)).toBe(true);
  expect(fits(`${deep.slice(0, -2)}\u201b\u2401`, toS3)).toBe(false);
});

test("quoted full-width stops are carried at the start of a key too, and only s3 to s3 is told of rclone's age", () => {
  const fromPosix: AddressFacts = { source: "posix", dest: "posix", version: [1, 60] };
  expect(untransferableReason("\u201b\uff0e", fromPosix)).toBeUndefined();
  expect(untransferableReason("a/\u201b\uff0e\u201b\uff0e", fromPosix)).toBeUndefined();
  const reason = (source: AddressFacts["source"], dest: AddressFacts["dest"]) =>
    untransferableReason("a//b", { source, dest, version: [1, 60] });
  expect(reason("s3", "s3")).toContain("before 1.75");
  expect(reason("s3", "posix")).not.toContain("before 1.75");
  expect(reason("posix", "s3")).not.toContain("before 1.75");
});
