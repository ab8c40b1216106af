import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { limitMs } from "../setup/pace.ts";
import { rclone, rcloneOk, temporaryDirectory } from "./clients.ts";
import { S3Endpoint } from "./endpoint.ts";

const timeoutMs = limitMs(120_000);
const mebibyte = 1024 * 1024;

const hostileNames = [
  "plain.txt",
  "#hash.txt",
  ";semi.txt",
  "  lead.txt",
  "trail.txt  ",
  'quo"te.txt',
  "sq'.txt",
  "back`tick.txt",
  "back\\slash.txt",
  "nfc-\u00e9-\u65e5\u672c.txt",
  "nfd-e\u0301.txt",
  "emoji-\u{1f600}.txt",
  "new\nline.txt",
  "tab\tx.txt",
  "carriage\rreturn.txt",
  "carriage\r\nboth.txt",
  "control\u0001\u007f.txt",
  "star*.txt",
  "br[ack].txt",
  "{a,b}.txt",
  "q?.txt",
  "$(touch pwn).txt",
  "-dash.txt",
  "--flag=x",
  "pct%20.txt",
  "pct%2F.txt",
  "pct%zz.txt",
  "plus+and space.txt",
  "amp&<lt>=eq.txt",
  "colon:comma,at@tilde~!.txt",
  "...dots..",
  "sub dir/%/deep+/x.txt",
];

/** Objects named after numbers in ten directories, with bodies and mtimes that tell them apart. */
function fill(endpoint: S3Endpoint, bucket: string, count: number): string[] {
  const keys: string[] = [];
  for (let i = 0; i < count; i++) {
    const key = `data/d${i % 10}/file${String(i).padStart(6, "0")}`;
    endpoint.put(bucket, key, `body of ${key}`, { mtime: new Date(1_600_000_000_000 + i * 1001) });
    keys.push(key);
  }
  return keys.sort();
}

test(
  "hostile names survive the way up, a listing and the way down, with bytes and mtimes",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    using directory = temporaryDirectory();
    const config = endpoint.rcloneSection("m");
    const [up, down] = [join(directory.path, "up"), join(directory.path, "down")];
    for (const [i, name] of hostileNames.entries()) {
      const path = join(up, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `content ${i} ${name}`);
      utimesSync(path, 1_700_000_000, 1_700_000_000.5 + i * 61);
    }

    await rcloneOk(config, ["copy", up, "m:bucket/pre fix"]);
    expect(endpoint.keys("bucket").sort()).toEqual(hostileNames.map((name) => `pre fix/${name}`).sort());
    await rcloneOk(config, ["copy", "m:bucket/pre fix", down]);
    for (const [i, name] of hostileNames.entries()) {
      expect(readFileSync(join(down, name), "utf8")).toBe(`content ${i} ${name}`);
      expect(statSync(join(down, name)).mtimeMs).toBe(1_700_000_000_500 + i * 61_000);
    }

    const checked = await rclone(config, ["check", "--download", up, "m:bucket/pre fix"]);
    expect(checked.stderr).toContain("0 differences found");
    for (const version of ["1", "2"]) {
      const list = ["lsjson", "-R", "--files-only", "--s3-list-version", version];
      const remote: { Path: string }[] = JSON.parse(await rcloneOk(config, [...list, "m:bucket/pre fix"]));
      const local: { Path: string }[] = JSON.parse(await rcloneOk(config, [...list, up]));
      expect(remote.map(({ Path }) => Path).sort()).toEqual(local.map(({ Path }) => Path).sort());
      expect(remote.length).toBe(hostileNames.length);
    }
  },
  timeoutMs,
);

test(
  "put() stores what rclone stores: ETag, mtime and multipart ETag are the same",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    using directory = temporaryDirectory();
    const config = endpoint.rcloneSection("m");
    const bytes = new Uint8Array(13 * mebibyte).map((_, i) => (i * 7) ^ (i >> 11));
    const path = join(directory.path, "big");
    const mtime = new Date(1_650_000_000_120);
    writeFileSync(path, bytes);
    utimesSync(path, mtime, mtime);

    await rcloneOk(config, ["copyto", path, "m:bucket/whole"]);
    endpoint.resetCounts();
    const parts = ["--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M", "--s3-no-head"];
    await rcloneOk(config, ["copyto", ...parts, "--no-check-dest", path, "m:bucket/parts"]);
    expect(endpoint.counts).toMatchObject({ PART: 3, POST: 2, PUT: 0, errors: {} });

    endpoint.put("bucket", "own-whole", bytes, { mtime });
    endpoint.put("bucket", "own-parts", bytes, { mtime, partSizeBytes: 5 * mebibyte });
    for (const form of ["whole", "parts"]) {
      const [theirs, ours] = [endpoint.head("bucket", form), endpoint.head("bucket", `own-${form}`)];
      expect(ours?.etag).toBe(theirs?.etag ?? "");
      expect(ours?.metadata.mtime).toBe(theirs?.metadata.mtime ?? "");
      expect(Bun.hash(bytes)).toBe(Bun.hash((await endpoint.get("bucket", form)) ?? ""));
    }
    expect(endpoint.head("bucket", "parts")?.etag).toEndWith("-3");
    const download = join(directory.path, "down");
    await rcloneOk(config, ["copyto", "m:bucket/parts", download]);
    expect(Bun.hash(readFileSync(download))).toBe(Bun.hash(bytes));
  },
  timeoutMs,
);

test(
  "a listing of 2,500 keys takes 3 pages in either version, and 25 pages of 100",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    const keys = fill(endpoint, "bucket", 2500);
    const config = endpoint.rcloneSection("m");
    for (const [flags, pages] of [
      [["--s3-list-version", "2"], 3],
      [["--s3-list-version", "1"], 3],
      [["--s3-list-chunk", "100"], 25],
    ] as const) {
      endpoint.resetCounts();
      const out = await rcloneOk(config, ["lsf", "-R", "--fast-list", "--files-only", ...flags, "m:bucket"]);
      expect(out.trimEnd().split("\n").sort()).toEqual(keys);
      expect(endpoint.counts).toMatchObject({ LIST: pages, total: pages });
    }
    endpoint.resetCounts();
    const directories = await rcloneOk(config, ["lsf", "--s3-list-chunk", "3", "m:bucket/data"]);
    expect(directories.trimEnd().split("\n")).toEqual([...Array(10).keys()].map((i) => `d${i}/`));
    expect(endpoint.counts.LIST).toBe(4);
  },
  timeoutMs,
);

test(
  "20,000 keys are listed in little more time than their pages take",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    fill(endpoint, "bucket", 20_000);
    const started = performance.now();
    const out = await rcloneOk(endpoint.rcloneSection("m"), ["lsf", "-R", "--fast-list", "m:bucket/data"]);
    expect(out.trimEnd().split("\n").length).toBe(20_010);
    expect(performance.now() - started).toBeLessThan(20_000);
  },
  timeoutMs,
);

test(
  "a copy that checks nothing is one GET and one PUT an object",
  async () => {
    await using source = await S3Endpoint.start({ buckets: ["from"] });
    await using target = await S3Endpoint.start({ buckets: ["to"] });
    using directory = temporaryDirectory();
    const keys = fill(source, "from", 60);
    source.put("from", "data/d0/empty", "", { mtime: new Date(1_600_000_000_000) });
    const all = [...keys, "data/d0/empty"];
    const list = join(directory.path, "list");
    writeFileSync(list, all.map((key) => `${key}\n`).join(""));
    const config = source.rcloneSection("a") + target.rcloneSection("b");
    const flags = ["--no-traverse", "--no-check-dest", "--s3-no-head", "--s3-no-head-object"];
    await rcloneOk(config, ["copy", ...flags, "--files-from-raw", list, "a:from", "b:to"]);

    expect(source.counts).toMatchObject({ GET: all.length, total: all.length, errors: {} });
    expect(target.counts).toMatchObject({ PUT: all.length, total: all.length, errors: {} });
    for (const key of all) {
      expect(source.requestsFor("from", key)).toEqual({ GET: 1, PUT: 0 });
      expect(target.requestsFor("to", key)).toEqual({ GET: 0, PUT: 1 });
      const [from, to] = [source.head("from", key), target.head("to", key)];
      expect(to?.etag).toBe(from?.etag ?? "");
      expect(to?.metadata.mtime).toBe(from?.metadata.mtime ?? "");
    }
  },
  timeoutMs,
);

test(
  "a copy within the endpoint moves no bytes, small or in parts, and keeps the mtime",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["from", "to"] });
    const keys = fill(endpoint, "from", 20);
    endpoint.put("from", "big+ %", new Uint8Array(12 * mebibyte).fill(7), {
      mtime: new Date(1_500_000_000_000),
    });
    const config = endpoint.rcloneSection("m");
    await rcloneOk(config, ["copy", "--s3-copy-cutoff", "5M", "m:from", "m:to"]);
    expect(endpoint.counts).toMatchObject({ GET: 0, PUT: 0, POST: 2, errors: {} });
    expect(endpoint.keys("to")).toEqual(endpoint.keys("from"));
    for (const key of [...keys, "big+ %"]) {
      expect(endpoint.head("to", key)?.metadata.mtime).toBe(endpoint.head("from", key)?.metadata.mtime ?? "");
      expect(Bun.hash((await endpoint.get("to", key)) ?? "")).toBe(
        Bun.hash((await endpoint.get("from", key)) ?? "-"),
      );
    }
    const copied = endpoint.head("to", "big+ %")?.etag ?? "";
    expect(copied).toMatch(/-\d+$/);

    // A new mtime is a copy of an object onto itself with its metadata replaced.
    await rcloneOk(config, ["touch", "-t", "2020-02-02T02:02:02", "m:to/data/d0/file000000"]);
    expect(endpoint.head("to", "data/d0/file000000")?.metadata.mtime).toBe("1580608922");
    await rcloneOk(config, ["purge", "m:to"]);
    expect(() => endpoint.keys("to")).toThrow("bucket does not exist");
    expect(endpoint.keys("from").length).toBe(21);
  },
  timeoutMs,
);

test(
  "a second start on the same directory serves the same objects",
  async () => {
    using directory = temporaryDirectory();
    const options = { directory: join(directory.path, "store"), buckets: ["bucket"] };
    const list = ["lsjson", "-R", "--files-only", "--hash", "m:bucket"];
    const first = await S3Endpoint.start(options);
    fill(first, "bucket", 50);
    first.put("bucket", "parts", new Uint8Array(6 * mebibyte), { partSizeBytes: 5 * mebibyte });
    first.put("bucket", "replaced", "old");
    first.put("bucket", "replaced", "new");
    first.put("bucket", "gone", "x");
    first.remove("bucket", "gone");
    const before = await rcloneOk(first.rcloneSection("m"), list);
    const heads = first.keys("bucket").map((key) => first.head("bucket", key));
    await first.stop();

    await using second = await S3Endpoint.start(options);
    expect(await rcloneOk(second.rcloneSection("m"), list)).toBe(before);
    expect(second.keys("bucket").map((key) => second.head("bucket", key))).toEqual(heads);
    expect(await rcloneOk(second.rcloneSection("m"), ["cat", "m:bucket/replaced"])).toBe("new");
    second.put("bucket", "later", "more");
    expect(await rcloneOk(second.rcloneSection("m"), ["cat", "m:bucket/data/d0/file000000"])).toBe(
      "body of data/d0/file000000",
    );
  },
  timeoutMs,
);

test(
  "a wrong key id, a wrong secret and a bucket that is not there are told apart",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    endpoint.put("bucket", "key", "body");
    const config = endpoint.rcloneSection("m");
    const once = ["--retries", "1", "--low-level-retries", "1", "lsf"];
    const wrongId = await rclone(config.replace(endpoint.accessKeyId, "nobody"), [...once, "m:bucket"]);
    expect(wrongId.exitCode).not.toBe(0);
    expect(wrongId.stderr).toContain("InvalidAccessKeyId");
    expect(wrongId.stderr).toContain("403");
    const wrongSecret = await rclone(config.replace(endpoint.secretAccessKey, "guess"), [
      ...once,
      "m:bucket",
    ]);
    expect(wrongSecret.stderr).toContain("SignatureDoesNotMatch");
    expect(endpoint.counts.errors[403]).toBeGreaterThanOrEqual(2);
    const noBucket = await rclone(config, [...once, "m:nowhere"]);
    expect(noBucket.exitCode).toBe(3);
    expect(await rcloneOk(config, ["lsf", "m:"])).toBe("bucket/\n");
    await rcloneOk(config, ["mkdir", "--s3-no-check-bucket=false", "m:made-here"]);
    expect(endpoint.keys("made-here")).toEqual([]);
  },
  timeoutMs,
);
