import { expect, test } from "bun:test";
import { inventoryDuplicateAdvice, inventoryReader, lsfReader } from "../../../lib/build/row-formats.ts";

const columns = "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass";
const time = "2026-01-02T03:04:05.000Z";
const md5 = "d41d8cd98f00b204e9800998ecf8427e";

/** The fields of an inventory row, with its key. */
const row = (key: string, more: { size?: string; time?: string; etag?: string; bucket?: string } = {}) => [
  more.bucket ?? "b",
  key,
  more.size ?? "5",
  more.time ?? time,
  more.etag ?? "",
  "",
];

const keyOf = (root: string, key: string) => {
  const read = inventoryReader(columns, root)(row(key));
  return read.kind === "object" ? read.entry.Path : read;
};

test("all that an inventory tells of an object is taken", () => {
  expect(inventoryReader(columns, "src:b")(["b", "a/x", "0", time, `"${md5}"`, "GLACIER"])).toEqual({
    kind: "object",
    entry: { Path: "a/x", Size: 0, ModTime: time, ETag: md5, Hashes: { md5 }, Tier: "GLACIER" },
  });
  // What it does not tell is not there.
  expect(inventoryReader("key,size", "src:b")(["a", "1"])).toEqual({
    kind: "object",
    entry: { Path: "a", Size: 1, ModTime: "" },
  });
});

test.each<[string, string, string]>([
  ["plain", "a/b.txt", "a/b.txt"],
  ["a blank", "a+b", "a b"],
  ["a plus sign", "a%2Bb", "a+b"],
  ["a percent sign", "100%25", "100%"],
  ["letters of four bytes", "%F0%9F%98%80/%C3%BC", "\u{1f600}/ü"],
  ["a line break, as rclone shows it", "a%0Ab", "a\u240ab"],
  ["a NUL and a DEL", "%00%7F", "\u2400\u2421"],
  ["a symbol that was there is quoted", "%E2%90%8A", "\u201b\u240a"],
  ["rclone's own quote is quoted", "%E2%80%9B", "\u201b\u201b"],
  ["dots between slashes", "a/../b/./c", "a/\uff0e\uff0e/b/\uff0e/c"],
  ["dots in names", "..a/b../...", "..a/b../..."],
  ["a key of slashes", "/a//b/", "/a//b/"],
])("a key with %s: %s", (_, key, path) => {
  expect(keyOf("src:b", key)).toBe(path);
});

test.each<[string, string, unknown]>([
  ["src:b", "a/x", "a/x"],
  ["src:/b", "a/x", "a/x"],
  ["src:b/a", "a/x", "x"],
  ["src:b/a", "a", { kind: "left-out", why: "keys that are not below src:b/a" }],
  ["src:b/a", "ab/x", { kind: "left-out", why: "keys that are not below src:b/a" }],
  // The root's own marker, which has no name below it.
  ["src:b/a", "a/", ""],
  ["src:b/2026:01", "2026%3A01/x", "x"],
  [":s3,provider=Ceph:b/a", "a/x", "x"],
  [':s3,endpoint="http://h:9000":b/a', "a/x", "x"],
  // An inventory of more buckets than one: the root is the remote.
  ["src:", "a/x", "b/a/x"],
])("of the inventory of bucket b, %s has %s as %j", (root, key, path) => {
  expect(keyOf(root, key) as unknown).toEqual(path);
});

test("the largest size that is a whole number is taken", () => {
  const read = inventoryReader(columns, "src:b")(row("a", { size: "9007199254740991" }));
  expect(read).toMatchObject({ entry: { Size: Number.MAX_SAFE_INTEGER } });
});

test.each<[string, string[], string]>([
  ["too few fields", ["b", "a"], "2 fields, not 6"],
  ["too many fields", [...row("a"), ""], "7 fields, not 6"],
  ["another bucket", row("a", { bucket: "c" }), "the object is in bucket c, not in that of --source: b"],
  ["half an escape", row("a%F"), "the key is not URL-encoded: a%F"],
  ["bytes that are no UTF-8", row("%FF"), "the key is not URL-encoded: %FF"],
  ["no size", row("a", { size: "" }), 'the size is no whole number: ""'],
  ["half a byte", row("a", { size: "1.5" }), 'the size is no whole number: "1.5"'],
  ["a negative size", row("a", { size: "-1" }), 'the size is no whole number: "-1"'],
  ["a size in words", row("a", { size: "0x10" }), 'the size is no whole number: "0x10"'],
  ["too large a size", row("a", { size: "9007199254740992" }), "the size is no whole number"],
  ["a time that is none", row("a", { time: "yesterday" }), "the time cannot be read: yesterday"],
])("a row with %s is bad", (_, fields, what) => {
  const read = inventoryReader(columns, "src:b")(fields);
  expect(read).toMatchObject({ kind: "bad", what: expect.stringContaining(what) });
});

test.each<[string, string, string]>([
  ["true", "", "delete markers"],
  ["TRUE", "true", "delete markers"],
  ["false", "false", "versions that are not the latest"],
  ["", "False", "versions that are not the latest"],
  ["false", "true", ""],
  ["", "", ""],
])("IsDeleteMarker %p and IsLatest %p: %s", (marker, latest, why) => {
  const read = inventoryReader("key,size,islatest,isdeletemarker", "src:b")(["a", "1", latest, marker]);
  if (why === "") expect(read.kind).toBe("object");
  else expect(read).toEqual({ kind: "left-out", why });
});

test.each<[string, string, boolean]>([
  [md5, "", true],
  [`"${md5}"`, "NOT-SSE", true],
  [md5.toUpperCase(), "SSE-S3", true],
  // Under these keys an ETag is no MD5, however it looks.
  [md5, "SSE-KMS", false],
  [md5, "DSSE-KMS", false],
  [md5, "SSE-C", false],
  [`${md5}-2`, "", false],
  [md5.slice(1), "", false],
])("the ETag %s under %p is an MD5: %p", (etag, encryption, isMd5) => {
  const read = inventoryReader("key,size,etag,encryptionstatus", "src:b")(["a", "1", etag, encryption]);
  if (read.kind !== "object") throw new Error("no object");
  const bare = etag.replaceAll('"', "");
  expect(read.entry.ETag).toBe(bare);
  expect(read.entry.Hashes).toEqual(isMd5 ? { md5: bare } : (undefined as never));
});

test.each([
  ["bucket,size", "src:b", "--columns: bucket,size has no column key"],
  ["bucket,key", "src:b", "--columns: bucket,key has no column size"],
  ["", "src:b", "has no column key"],
  ["key,size", "src:", "--columns: key,size has no column bucket, and --source src: names none"],
])("the columns %p for %s are refused", (names, root, problem) => {
  expect(() => inventoryReader(names, root)).toThrow(problem);
  expect(() => inventoryReader(names, root)).toThrow(expect.objectContaining({ exitCode: 2 }));
});

test("what is advised about a key in two rows depends on whether versions can be told", () => {
  expect(inventoryDuplicateAdvice("Bucket, Key, Size, IsLatest")).toBe("remove one of the two rows");
  expect(inventoryDuplicateAdvice("Bucket, Key, Size, IsLatestOne")).toContain("IsLatest");
  expect(inventoryDuplicateAdvice("Bucket, Key, Size")).toContain("IsLatest and IsDeleteMarker");
});

test("all that rclone lsf tells of an object is taken, in the order of its letters", () => {
  expect(lsfReader("sphtT")(["5", 'a,"b"\u{1f600}', md5, "2026-01-02T03:04:05Z", "STANDARD"])).toEqual({
    kind: "object",
    entry: { Path: 'a,"b"\u{1f600}', Size: 5, ModTime: time, Hashes: { md5 }, Tier: "STANDARD" },
  });
  expect(lsfReader("psh")(["a", "1", "UNSUPPORTED"])).toEqual({
    kind: "object",
    entry: { Path: "a", Size: 1, ModTime: "" },
  });
});

test("rclone lsf prints local times", () => {
  const zone = process.env.TZ;
  process.env.TZ = "America/New_York";
  try {
    const read = lsfReader("pst")(["a", "1", "2026-01-02 03:04:05"]);
    expect(read).toMatchObject({ entry: { ModTime: "2026-01-02T08:04:05.000Z" } });
    const zoned = lsfReader("pst")(["a", "1", "2026-01-02T03:04:05+01:00"]);
    expect(zoned).toMatchObject({ entry: { ModTime: "2026-01-02T02:04:05.000Z" } });
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test.each<[string, string[], object]>([
  ["a folder", ["a/", "-1"], { kind: "left-out", why: "directories" }],
  ["an object of unknown size", ["a", "-1"], { kind: "bad", what: 'the size is no whole number: "-1"' }],
  ["a marker with content", ["a/", "3"], { kind: "object" }],
  ["one field", ["a"], { kind: "bad", what: "1 fields, not 2" }],
  ["three fields", ["a", "1", ""], { kind: "bad", what: "3 fields, not 2" }],
])("a row of lsf that is %s", (_, fields, expected) => {
  expect(lsfReader("ps")(fields)).toMatchObject(expected);
});

test.each([
  ["pst!", "rclone lsf has no format letter !"],
  ["st", "--columns: st has no p: a manifest needs the path"],
  ["pt", "--columns: pt has no s: a manifest needs the size"],
])("the format %s is refused", (format, problem) => {
  expect(() => lsfReader(format)).toThrow(problem);
});
