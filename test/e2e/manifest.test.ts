import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure } from "../bench/measure.ts";
import { hostileManifest } from "../data/hostile-names.ts";
import { recordLine, writeSeededManifest } from "../data/manifest.ts";
import { binary, saidIn, startXfer, temporaryDirectory, timeoutMs, until, xfer } from "../stage/harness.ts";

/** Runs the binary with bytes on its standard input. */
async function piped(args: readonly string[], input: string | Uint8Array, cwd: string) {
  const child = Bun.spawn([binary, ...args], {
    cwd,
    env: {},
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, stdout, stderr };
}

const hostile = readFileSync(hostileManifest, "utf8");
const broken = `${hostile}${recordLine({ path: "a", size: 1 }).slice(0, 50)}`;

describe("analyze", () => {
  test(
    "prints text, piped too, JSON with --json, and writes a file",
    async () => {
      using dir = temporaryDirectory();
      writeFileSync(join(dir.path, "m.jsonl"), hostile);
      const text = await xfer(["manifest", "analyze", "--in", "m.jsonl"], { cwd: dir.path });
      expect(text).toMatchObject({ code: 0, stderr: "" });
      expect(text.stdout).toMatch(/^24 objects, [\s\S]*\nshards {3}1\n/);
      const shown = await xfer(["manifest", "analyze", "--in", "m.jsonl", "--json"], { cwd: dir.path });
      expect(shown).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(shown.stdout)).toMatchObject({ objects: 24, bytes: 24_276, num_shards: 1 });
      const written = await xfer(["manifest", "analyze", "--in", "m.jsonl", "--out", "a.json"], {
        cwd: dir.path,
      });
      expect(written).toEqual({ code: 0, stdout: "", stderr: "" });
      const analysis = JSON.parse(readFileSync(join(dir.path, "a.json"), "utf8"));
      // Scripts know these names, in this order.
      expect(Object.keys(analysis)).toEqual([
        "schema",
        "status",
        "total_files",
        "total_bytes",
        "total_bytes_human",
        "file_size_stats",
        "profile",
        "profile_explanation",
        "suggested_flags",
        "suggested_shard_count",
        "shard_count_reasoning",
        "shard_count_assumptions",
        "histogram",
      ]);
      expect(analysis.file_size_stats).toMatchObject({ min: 1000, small_files_pct: 100, large_files_pct: 0 });
      expect(analysis.file_size_stats).toMatchObject({ min_human: "1000 B", min_size_human: "1000 B" });
      expect(analysis.suggested_flags).toBe(
        "--transfers 64 --checkers 128 --fast-list --retries 10 --low-level-retries 20",
      );
      const { histogram, ...rest } = analysis;
      expect(JSON.parse(shown.stdout)).toMatchObject(rest);
      expect(JSON.parse(shown.stdout).histogram).toMatchObject(histogram);
      const fromPipe = await piped(["manifest", "analyze", "--in", "-", "--out", "-"], hostile, dir.path);
      expect(fromPipe.stdout).toBe(shown.stdout);
    },
    timeoutMs,
  );

  test(
    "takes the user's flags and assumptions",
    async () => {
      const args = [
        "--base-flags",
        "--transfers 3",
        "--assumed-array-concurrency",
        "7",
        "--assumed-core-budget",
        "8",
      ];
      const { stdout } = await piped(["manifest", "analyze", "--in", "-", "--json", ...args], hostile, "/");
      const analysis = JSON.parse(stdout);
      expect(analysis.suggested_flags).toBe("--checkers 128 --fast-list --transfers 3");
      expect(analysis.shard_count_assumptions).toMatchObject({ array_concurrency: 7, core_budget: 8 });
    },
    timeoutMs,
  );
});

test(
  "estimate prints seven rates and the requests, or JSON",
  async () => {
    const args = ["manifest", "estimate", "--in", "-", "--min-rate", "5Gbps", "--max-rate", "40Gbps"];
    const table = await piped(args, hostile, "/");
    expect(table).toMatchObject({ code: 0, stderr: "" });
    expect(table.stdout.match(/^ +[\d.]+ Gbps /gm)?.length).toBe(7);
    expect(table.stdout).toContain("1 LIST, 24 GET, 24 PUT");
    const { stdout } = await piped(
      [...args, "--hist-mode", "log", "--hist-bins", "4", "--json"],
      hostile,
      "/",
    );
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "xfer.estimate.v1",
      total_files: 24,
      requests: { get: 24 },
    });
  },
  timeoutMs,
);

describe("a listing of rclone lsjson is read as a manifest is", () => {
  const sizes = [0, 1500, 3 * 1024 ** 2, 700 * 1024 ** 2];
  const entries = [
    { Path: "dir", Name: "dir", Size: -1, MimeType: "inode/directory", IsDir: true },
    ...sizes.map((Size, i) => ({ Path: `dir/"{[é${i}\n`, Name: "x", Size, IsDir: false })),
  ];
  const lines = entries.map((entry) => JSON.stringify(entry));
  /** [how it is laid out, its text] */
  const rows: [string, string][] = [
    ["an entry a line in an array", `[\n${lines.join(",\n")}\n]\n`],
    ["indented", JSON.stringify(entries, null, 4)],
    ["on one line", JSON.stringify(entries)],
    ["without the array", `${lines.join("\n")}\n`],
    ["without the array, indented", entries.map((entry) => JSON.stringify(entry, null, 2)).join("\n")],
    ["parts after each other, with CRLF", lines.map((line) => `[\r\n${line}\r\n]\r\n`).join("")],
  ];
  test.each(rows)(
    "%s",
    async (_, text) => {
      using dir = temporaryDirectory();
      writeFileSync(join(dir.path, "l.json"), text);
      const args = ["--min-rate", "5Gbps", "--max-rate", "5Gbps", "--json"];
      const estimate = await xfer(["manifest", "estimate", "--in", "l.json", ...args], { cwd: dir.path });
      expect(estimate).toMatchObject({ code: 0, stderr: "" });
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect(JSON.parse(estimate.stdout)).toMatchObject({ total_files: 4, total_bytes: total });
      const analysis = await piped(["manifest", "analyze", "--in", "-", "--json"], text, "/");
      expect(JSON.parse(analysis.stdout)).toMatchObject({ total_files: 4, total_bytes: total });
    },
    timeoutMs,
  );

  /** [what is wrong, the text, what is said] */
  const torn: [string, string, RegExp][] = [
    ["no closing bracket", `[\n${lines.join(",\n")}\n`, /l\.json:7: the array has no closing bracket/],
    ["cut in an entry", `[\n${lines.join(",\n").slice(0, -5)}`, /l\.json:6: the object has no end/],
    ["cut in a line", lines.join("\n").slice(0, -5), /l\.json:5: the object has no end/],
    ["a comma is missing", `[\n${lines.join("\n")}\n]`, /l\.json:3: unexpected "\{/],
    ["an entry without a size", `${lines[1]}\n{"Path":"a"}\n`, /l\.json:2: an object without a size/],
    ["no JSON", `[\n{"Path":a,"Size":1}\n]`, /l\.json:2: no JSON/],
    ["words after it", "[]\nFailed to lsjson", /l\.json:2: unexpected "Failed to lsjson"/],
    ["nothing in it", "[]", /l\.json: no objects/],
  ];
  test.each(torn)(
    "%s",
    async (_, text, said) => {
      using dir = temporaryDirectory();
      writeFileSync(join(dir.path, "l.json"), text);
      const result = await xfer(["manifest", "analyze", "--in", "l.json"], { cwd: dir.path });
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toMatch(said);
      expect(result.stderr.trimEnd()).not.toContain("\n");
    },
    timeoutMs,
  );
});

test(
  "an input that is no file is said by name",
  async () => {
    using dir = temporaryDirectory();
    const said = async (input: string) =>
      (await xfer(["manifest", "analyze", "--in", input], { cwd: dir.path })).stderr;
    expect(await said(".")).toBe("xfer: .: is a folder: a file is wanted\n");
    expect(await said("none")).toBe("xfer: none: no such file\n");
  },
  timeoutMs,
);

test(
  "estimate's histogram and units are those that are asked for",
  async () => {
    const text = [1000, 2 * 1024 ** 2, 3 * 1024 ** 2, 5 * 1024 ** 3].map((Size) => JSON.stringify({ Size }));
    const args = ["manifest", "estimate", "--in", "-", "--min-rate", "5Gbps", "--max-rate", "40Gbps"];
    const shown = async (...more: string[]) => (await piped([...args, ...more], text.join("\n"), "/")).stdout;
    expect(await shown("--prefer-units", "MBps")).toContain(" 625.00 MB/s ");
    expect(await shown("--prefer-units", "Gbps")).toContain(" 40.00 Gbps ");
    expect(await shown("--no-hist")).not.toContain("█");
    expect((await shown("--hist-width", "7")).match(/█+/g)?.map((bar) => bar.length)).toContain(7);
    const { stderr, code } = await piped(
      [...args.slice(0, -4), "--min-rate", "100", "--max-rate", "1"],
      "",
      "/",
    );
    expect([code, stderr]).toEqual([
      2,
      'xfer: --min-rate: must be a rate with its unit, such as 5Gbps, 800Mbps, 200MB/s or 1.5GiB/s, not "100"\n',
    ]);
  },
  timeoutMs,
);

test(
  "rebase from a pipe to a pipe is rebase from a file to a file",
  async () => {
    using dir = temporaryDirectory();
    writeFileSync(join(dir.path, "m.jsonl"), hostile);
    const to = ["--source-root", "a:b", "--dest-root", "c:d/"];
    const file = await xfer(["manifest", "rebase", "--in", "m.jsonl", "--out", "out.jsonl", ...to], {
      cwd: dir.path,
    });
    expect(file).toEqual({ code: 0, stdout: "out.jsonl: 24 objects\n", stderr: "" });
    const pipe = await piped(["manifest", "rebase", "--in", "-", "--out", "-", ...to], hostile, dir.path);
    expect(pipe).toEqual({ code: 0, stdout: readFileSync(join(dir.path, "out.jsonl"), "utf8"), stderr: "" });
    expect(JSON.parse(pipe.stdout.split("\n", 1)[0] ?? "")).toMatchObject({
      source_root: "a:b",
      dest_root: "c:d",
      dest: "c:d/plain.txt",
      path: "plain.txt",
    });
    const again = await xfer(["manifest", "rebase", "--in", "m.jsonl", "--out", "out.jsonl", ...to], {
      cwd: dir.path,
    });
    expect(again.code).toBe(2);
  },
  timeoutMs,
);

test(
  "shard leaves nothing where the disk takes no more: while lines are read, and at the end",
  async () => {
    using dir = temporaryDirectory();
    writeSeededManifest(join(dir.path, "m.jsonl"), 20_000, 1);
    for (const [numShards, blocks] of [
      ["2", "16"],
      ["200", "16"],
    ] as const) {
      const child = Bun.spawn(
        [
          "sh",
          "-c",
          'ulimit -f "$1" && exec "$0" manifest shard --in m.jsonl --outdir s --num-shards "$2"',
        ].concat([binary, blocks, numShards]),
        { cwd: dir.path, env: {}, stdout: "pipe", stderr: "pipe" },
      );
      expect(await child.stderr.text()).toMatch(
        /^xfer: (?:.*\/)?s\/shard_\d{6}\.jsonl: cannot be written: file too large: .*\(EFBIG\)\n$/,
      );
      expect(await child.exited).toBe(1);
      expect(readdirSync(join(dir.path, "s"))).toEqual([]);
    }
  },
  timeoutMs,
);

test(
  "shard takes the number of shards from analyze, an overhead with a unit, and a cap",
  async () => {
    using dir = temporaryDirectory();
    writeFileSync(join(dir.path, "m.jsonl"), hostile);
    const shard = (...args: string[]) =>
      xfer(["manifest", "shard", "--in", "m.jsonl", "--outdir", "s", "--json", ...args], { cwd: dir.path });
    expect(JSON.parse((await shard("--num-shards", "auto")).stdout)).toMatchObject({ num_shards: 1 });
    const capped = JSON.parse((await shard("--num-shards", "auto", "--max-objects", "10")).stdout);
    expect(capped.num_shards).toBe(3);
    const bytesOnly = JSON.parse((await shard("--num-shards", "2", "--object-overhead", "0")).stdout);
    expect(bytesOnly).toMatchObject({ object_overhead_bytes: 0, weight_total: bytesOnly.bytes_total });
    const heavy = JSON.parse((await shard("--num-shards", "2", "--object-overhead", "2GiB")).stdout);
    expect(heavy.object_overhead_bytes).toBe(2 * 1024 ** 3);
    const refused = await shard("--num-shards", "2", "--max-objects", "11");
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toBe("xfer: --max-objects 11: 24 records need at least 3 shards, not 2\n");
  },
  timeoutMs,
);

describe("a bad line is named, and nothing is left", () => {
  /** [command, its arguments] */
  const rows: [string, string[]][] = [
    ["analyze", ["--out", "out"]],
    ["estimate", ["--min-rate", "1Gbps", "--max-rate", "2Gbps"]],
    ["rebase", ["--out", "out", "--source-root", "a:b"]],
    ["shard", ["--outdir", "out", "--num-shards", "2"]],
    ["shard", ["--outdir", "out", "--num-shards", "auto"]],
  ];
  for (const [command, args] of rows) {
    test(
      `${command} ${args.join(" ")}`,
      async () => {
        using dir = temporaryDirectory();
        writeFileSync(join(dir.path, "m.jsonl"), broken);
        const result = await xfer(["manifest", command, "--in", "m.jsonl", ...args], { cwd: dir.path });
        expect(result.stderr).toMatch(/^xfer: m\.jsonl:25: not a manifest record: the line is torn.*\n$/);
        expect(result).toMatchObject({ code: 2, stdout: "" });
        expect(readdirSync(dir.path)).toEqual(["m.jsonl"]);
      },
      timeoutMs,
    );
  }

  test(
    "from a pipe",
    async () => {
      const result = await piped(["manifest", "analyze", "--in", "-"], broken, "/");
      expect(result.stderr).toStartWith("xfer: stdin:25: not a manifest record");
      expect(result.code).toBe(2);
      const empty = await piped(["manifest", "analyze", "--in", "-"], "", "/");
      expect(empty).toMatchObject({ code: 2, stdout: "" });
    },
    timeoutMs,
  );
});

test(
  "a million records: memory stays far below the manifest's size",
  async () => {
    using dir = temporaryDirectory();
    const manifest = join(dir.path, "m.jsonl");
    const bytes = writeSeededManifest(manifest, 1_000_000, 1);
    expect(bytes).toBeGreaterThan(380e6);
    const peak = async (...args: string[]) => {
      const { code, peakBytes, stderr } = await measure([binary, "manifest", ...args], dir.path);
      expect([code, saidIn(stderr)]).toEqual([0, ""]);
      expect(peakBytes).toBeGreaterThan(0);
      return peakBytes / 1024 ** 2;
    };
    expect(await peak("shard", "--in", manifest, "--outdir", "s", "--num-shards", "512")).toBeLessThan(200);
    expect(await peak("analyze", "--in", manifest)).toBeLessThan(120);
    expect(await peak("rebase", "--in", manifest, "--out", "r.jsonl", "--dest-root", "x:y")).toBeLessThan(
      120,
    );
    const meta = JSON.parse(readFileSync(join(dir.path, "s", "shards.meta.json"), "utf8"));
    expect(meta.num_records).toBe(1_000_000);
    expect(existsSync(join(dir.path, "r.jsonl"))).toBe(true);
  },
  timeoutMs,
);

test(
  "kill -9 while shards are written: there is no set, and the next one leaves nothing of it",
  async () => {
    using dir = temporaryDirectory();
    const manifest = join(dir.path, "m.jsonl");
    const out = join(dir.path, "s");
    writeSeededManifest(manifest, 1_000_000, 1);
    const args = ["manifest", "shard", "--in", manifest, "--outdir", out, "--num-shards", "64"];
    const running = startXfer(args, { cwd: dir.path });
    const temporary = () =>
      existsSync(out) ? readdirSync(out).filter((name) => name.includes(".tmp.")) : [];
    await until("shards under temporary names", () => temporary().length > 3);
    process.kill(running.pid, "SIGKILL");
    expect((await running.result).code).toBe(137);
    expect(temporary().length).toBeGreaterThan(0);
    expect(existsSync(join(out, "shards.meta.json"))).toBe(false);
    expect((await xfer(args, { cwd: dir.path })).code).toBe(0);
    expect(readdirSync(out).filter((name) => !/^shard_\d{6}\.jsonl$/.test(name))).toEqual([
      "shards.meta.json",
    ]);
    expect(readdirSync(out)).toHaveLength(65);
  },
  timeoutMs,
);
