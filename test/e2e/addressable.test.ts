import { describe, expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { untransferableReason } from "../../lib/rclone/addressable.ts";
import { copyArgv, lsjsonArgv } from "../../lib/rclone/argv.ts";
import { copyPlan } from "../../lib/rclone/copy-plan.ts";
import { controlNames, hostileNames } from "../data/hostile-names.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { rclones, type TestRclone } from "../setup/rclones.ts";
import { temporaryDirectory, timeoutMs } from "../stage/harness.ts";
import { hex, type Kind, keyOf, posixStore, type Store, s3Store } from "../stage/stores.ts";

interface Pair {
  source: Kind;
  dest: Kind;
}

const latin1 = (text: string) => Buffer.from(text, "latin1");

const controls = Array.from({ length: 0x20 }, (_, i) => String.fromCharCode(i === 0 ? 0x7f : i));
const symbols = Array.from({ length: 0x27 }, (_, i) => String.fromCharCode(0x2400 + i));

/** Keys as they are in a store, each of which must arrive as it is wherever a store of that kind can hold it. */
const carried: string[] = [
  ...hostileNames().filter((name) => name !== ""),
  ...controlNames,
  ...controls.map((control) => `c/x${control}y`),
  ...symbols.slice(1).map((symbol) => `c/x${symbol}y`),
  ...["\x01", "\n", "\x7f", "␁", "␊", "␡", "␠"].map((char) => `c/alone/${char}`),
  ...[
    "d/...",
    "d/.hidden",
    "d/..b",
    "d/b..",
    "d./x",
    "d/．．．",
    "d/．x",
    "d/x．",
    "d/‛．",
    "d/‛．‛．",
    "...",
    "．．．x",
  ],
  ...[
    "w/a／b",
    "w/a/b",
    "／lead",
    "lead／",
    "w/a‛／b",
    "b/a\\b",
    "b/a＼b",
    "\\",
    "C:\\x",
    "co:lon",
    ":x",
    "：",
    "x:",
  ],
  ...[" leading", "trailing ", " ", "s/ /x", "trailing␠", "trailing.", "trailing．", "\ufeffx", "s/\ufeff"],
  ...[
    "A/case",
    "a/case",
    "NFC-\u00e9",
    "NFC-e\u0301",
    "#x",
    ";x",
    "p/a%2Fb",
    "p/%",
    "p/%25",
    "p/%2e%2e/x",
    "%2F",
  ],
  ...["p/+", "p/&", "p/~", "p/?q=1", "p/*", "p/[x]", "p/{x}", "p/<x>", "p/$(x)", "--flag", "p/\u{10ffff}"],
  ...["p/\uffff", "p/\ue000", "p/\u0085", "p/\u2028", "crlf\r\n", "l/\n/x", "x.partial", "x.rclonelink"],
  ...[
    `long/${"n".repeat(255)}`,
    `long/${"é".repeat(127)}x`,
    `${`${"k".repeat(204)}/`.repeat(5).slice(0, 1023)}k`,
  ],
  ...["lead", "top", "a/b", "x/y", "i/xAy", "q/x", "e/f/g"],
];

const dots = ["d/.", "d/..", "./x", "../x", "x/./y", "x/../y"];
const wideDots = dots.map((key) =>
  key.replaceAll(/(?<=^|\/)\.\.?(?=\/|$)/g, (found) => found.replaceAll(".", "．")),
);

/** Keys that are refused, and where: those of each group for the pairs that it says, and an rclone of that version. */
const refused: { keys: (string | Buffer)[]; where: (pair: Pair, minor: number) => boolean }[] = [
  { keys: ["//top", "/lead", "t/", "/", "//", "e//", "e//f/"], where: () => true },
  {
    keys: ["a//b", "a///b", "e/f//g"],
    where: ({ dest }, minor) => dest === "posix" || minor < 75,
  },
  { keys: dots, where: () => true },
  { keys: ["c/x\0y", "c/x␀y"], where: ({ source }) => source === "s3" },
  { keys: wideDots, where: ({ source }) => source === "s3" },
  {
    keys: ["q/‛", "q/‛‛", "q/x‛y", "q/x‛‛y", "q/‛x", "c/x‛␁y", "c/x‛‛␁y", "c/x‛\x01y", "d/‛."],
    where: () => true,
  },
  // Each beside something that is listed as U+FFFD too: a byte that is no UTF-8, or rclone's own form of one in S3.
  {
    keys: ["f/M\ufffdller", "f/M‛FCller", latin1("f/M\xfcller"), latin1("f/M\xe4ller"), latin1("f/\xff/x")],
    where: () => true,
  },
  {
    keys: [
      `long/${"m".repeat(256)}`,
      `long/${"é".repeat(128)}`,
      `long/${"␁".repeat(86)}`,
      `long/${"\x01".repeat(255)}`,
    ],
    where: ({ dest }) => dest === "posix",
  },
  { keys: [`L${`/${"k".repeat(100)}`.repeat(11).slice(0, 1024)}`], where: ({ dest }) => dest === "s3" },
];

/** Objects that are prefixes of others: a file system holds only one of the two. */
const flat = ["n/a", "n/a/b", "n/a/b/c"];

const bodyOf = (index: number) => Buffer.from(`object ${index} `.padEnd(1_000 + index, "."));

/** A key in the source, what is in it, and how this rclone lists it. */
interface Placed {
  key: string;
  body: Buffer;
  listed: string;
}

class Bench implements AsyncDisposable {
  #stores = 0;
  private constructor(
    readonly temp: { path: string } & Disposable,
    readonly endpoints: { src: S3Endpoint; dst: S3Endpoint },
  ) {
    const { src, dst } = endpoints;
    writeFileSync(this.conf, `${src.rcloneSection("src")}\n${dst.rcloneSection("dst")}\n`);
  }

  static async start(): Promise<Bench> {
    return new Bench(temporaryDirectory(), { src: await S3Endpoint.start(), dst: await S3Endpoint.start() });
  }

  get conf(): string {
    return join(this.temp.path, "rclone.conf");
  }

  store(kind: Kind, remote: "src" | "dst"): Store {
    if (kind === "posix") return posixStore(mkdtempSync(join(this.temp.path, "files-")));
    return s3Store(this.endpoints[remote], remote, `bucket-${this.#stores++}`);
  }

  /** Fills a source, and lists it as xfer does. An object is known again by its size. */
  async fill(rclone: TestRclone, store: Store, keys: readonly Buffer[]): Promise<Placed[]> {
    const placed = keys.filter((key) => store.holds(key));
    for (const [index, key] of placed.entries()) store.put(key, bodyOf(index));
    const argv = lsjsonArgv({
      ...{ root: store.root, configPath: this.conf, recursive: true, filesOnly: true, fastList: true },
      ...{ modtime: "server", hash: false, verbosity: 0, extraFlags: [] },
    });
    const { code, stdout } = await this.run(rclone, argv);
    expect(code).toBe(0);
    const entries = JSON.parse(stdout) as { Path: string; Size: number }[];
    const bySize = new Map(entries.map(({ Path, Size }) => [Size, Path]));
    expect(bySize.size).toBe(placed.length);
    return placed.map((key, index) => {
      const listed = bySize.get(bodyOf(index).length);
      if (listed === undefined) throw new Error(`${key.toString()} is not listed`);
      return { key: hex(key), body: bodyOf(index), listed };
    });
  }

  /**
   * Copies listed paths as the agent does, and gives what is at the destination and which paths rclone said it copied.
   * Of two names that differ in their Unicode form alone, or of which one is a folder of the other's, rclone passes over
   * one without a word: what it did not mention gets another pass.
   */
  async copy(rclone: TestRclone, source: Store, dest: Store, paths: readonly string[]) {
    const filesFrom = join(this.temp.path, "keys");
    const plan = copyPlan({
      ...{ source: source.kind, dest: dest.kind, serverSide: "apart", largestBytes: 2_000 },
      ...{
        version: undefined,
        multiThreadCutoffBytes: undefined,
        comparesDestination: false,
        mayBeThere: false,
        metadata: "off",
        metadataSaid: undefined,
        serverCopyCutoffBytes: undefined,
      },
    });
    const argv = copyArgv({
      ...{ sourceRoot: source.root, destRoot: dest.root, filesFrom, configPath: this.conf, transfers: 8 },
      ...{
        planFlags: plan.flags,
        userFlags: ["--low-level-retries", "1"],
        statsSeconds: 10,
      },
    });
    const copied = new Set<string>();
    let falselyCopied = 0;
    for (let left = [...paths]; left.length > 0; ) {
      writeFileSync(filesFrom, left.map((path) => `${path}\n`).join(""));
      const { stderr } = await this.run(rclone, argv);
      for (const line of stderr.split("\n")) {
        const { msg, object } = line.startsWith("{")
          ? (JSON.parse(line) as { msg: string; object?: string })
          : {};
        if (object !== undefined && msg?.startsWith("Copied")) copied.add(object);
      }
      falselyCopied = Math.max(falselyCopied, copied.size - (await dest.all()).size);
      const rest = left.filter((path) => !copied.has(path));
      if (rest.length === left.length) break;
      left = rest;
    }
    return { copied, falselyCopied, found: await dest.all() };
  }

  async run(rclone: TestRclone, argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = { PATH: `${rclone.dir}:${process.env.PATH ?? ""}`, HOME: this.temp.path };
    const child = Bun.spawn(argv, { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endpoints.src.stop();
    await this.endpoints.dst.stop();
    this.temp[Symbol.dispose]();
  }
}

const minorOf = ({ version }: TestRclone) => Number(version.split(".")[1]);

/** The keys that are refused by the table above; whatever else is in a source must be carried. */
function refusedKeys(pair: Pair, minor: number): Set<string> {
  return new Set(refused.filter(({ where }) => where(pair, minor)).flatMap(({ keys }) => keys.map(hex)));
}

const pairs: Pair[] = (["s3", "posix"] as const).flatMap((source) =>
  (["s3", "posix"] as const).map((dest) => ({ source, dest })),
);

describe.each(pairs)("from $source to $dest", (pair) => {
  const isFlat = pair.source === "s3" && pair.dest === "s3";
  const keys = [...carried, ...(isFlat ? flat : []), ...refused.flatMap((group) => group.keys)];
  const all = [...new Set(keys.map(hex))].map(keyOf);

  test(
    "what is called carried arrives as it is on both rclones, and what is refused does not on one at least",
    async () => {
      await using bench = await Bench.start();
      const unshown = new Set<string>();
      const shown = new Set<string>();
      for (const rclone of await rclones()) {
        const minor = minorOf(rclone);
        const source = bench.store(pair.source, "src");
        const placed = await bench.fill(rclone, source, all);
        const isRefused = ({ listed }: Placed) =>
          untransferableReason(listed, { ...pair, version: [1, minor] }) !== undefined;

        const expected = refusedKeys(pair, minor);
        const names = (list: Placed[]) => list.map(({ key }) => keyOf(key).toString()).sort();
        expect(names(placed.filter(isRefused))).toEqual(names(placed.filter(({ key }) => expected.has(key))));

        const right = placed.filter((one) => !isRefused(one));
        const dest = bench.store(pair.dest, "dst");
        const { copied, falselyCopied, found } = await bench.copy(
          rclone,
          source,
          dest,
          right.map(({ listed }) => listed),
        );
        const wrong = right.filter(({ key, body }) => !found.get(key)?.equals(body));
        expect({ falselyCopied, wrong: names(wrong) }).toEqual({ falselyCopied: 0, wrong: [] });
        expect(found.size).toBe(right.length);
        expect(right.filter(({ listed }) => !copied.has(listed)).map(({ listed }) => listed)).toEqual([]);

        const listings = new Map<string, number>();
        for (const { listed } of placed) listings.set(listed, (listings.get(listed) ?? 0) + 1);
        for (const one of placed.filter((each) => isRefused(each) && !shown.has(each.key))) {
          // Each alone: one of them may keep a whole pass from moving.
          const { found: got } = await bench.copy(rclone, source, bench.store(pair.dest, "dst"), [
            one.listed,
          ]);
          const arrived = got.get(one.key)?.equals(one.body) && listings.get(one.listed) === 1;
          (arrived ? unshown : shown).add(one.key);
        }
      }
      expect([...unshown].filter((key) => !shown.has(key)).map((key) => keyOf(key).toString())).toEqual([]);
      expect(shown.size).toBeGreaterThan(10);
    },
    timeoutMs,
  );
});
