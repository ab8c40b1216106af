import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure } from "../bench/measure.ts";
import { escapedLine, recordLine, recordOf } from "../data/manifest.ts";
import {
  binary,
  kill,
  Stage,
  startXfer,
  state,
  temporaryDirectory,
  timeoutMs,
  until,
  xfer,
} from "../stage/harness.ts";

const line = (path: string) => recordLine({ path, size: 1 });
/** `é/b` is there twice, as two writers spell it. */
const twice = [line("z"), line("é/b"), line("a"), escapedLine({ path: "é/b", size: 7 }), line("b")].join("");
const refusal = (name: string) =>
  `xfer: ${name}:4: the key is in line 2 already: é/b: of one object there may be one record only: remove the other\n`;

test(
  "shard refuses a manifest that has a key twice, and leaves everything as it was",
  async () => {
    using dir = temporaryDirectory();
    const shard = (manifest: string) =>
      xfer(["manifest", "shard", "--in", manifest, "--outdir", "out/shards", "--num-shards", "2"], {
        cwd: dir.path,
      });
    writeFileSync(join(dir.path, "m.jsonl"), twice);
    expect(await shard("m.jsonl")).toEqual({ code: 2, stdout: "", stderr: refusal("m.jsonl") });
    expect(readdirSync(dir.path)).toEqual(["m.jsonl"]);
    writeFileSync(join(dir.path, "good.jsonl"), twice.split("\n").slice(0, 3).join("\n"));
    expect(await shard("good.jsonl")).toMatchObject({ code: 0, stderr: "" });
    const meta = readFileSync(join(dir.path, "out/shards/shards.meta.json"), "utf8");
    expect(JSON.parse(meta)).toMatchObject({ keys_distinct: true, num_records: 3 });
    expect(await shard("m.jsonl")).toMatchObject({ code: 2 });
    expect(readFileSync(join(dir.path, "out/shards/shards.meta.json"), "utf8")).toBe(meta);
    expect(readdirSync(join(dir.path, "out/shards")).length).toBe(3);
  },
  timeoutMs,
);

test(
  "rebase refuses it too, from a file and from a pipe, into a file and into a pipe",
  async () => {
    using dir = temporaryDirectory();
    writeFileSync(join(dir.path, "m.jsonl"), twice);
    const rebase = async (input: string, out: string) => {
      const args = ["manifest", "rebase", "--in", input, "--out", out, "--dest-root", "new:x"];
      const stdin = input === "-" ? Buffer.from(twice) : "ignore";
      const child = Bun.spawn([binary, ...args], { cwd: dir.path, stdin, stdout: "pipe", stderr: "pipe" });
      const [code, stdout, stderr] = await Promise.all([
        child.exited,
        child.stdout.text(),
        child.stderr.text(),
      ]);
      return { code, stdout, stderr };
    };
    const stderr = (name: string) => ({ code: 2, stderr: refusal(name) });
    expect(await rebase("m.jsonl", "new.jsonl")).toEqual({ ...stderr("m.jsonl"), stdout: "" });
    expect(await rebase("-", "new.jsonl")).toEqual({ ...stderr("stdin"), stdout: "" });
    expect(await rebase("m.jsonl", "-")).toEqual({ ...stderr("m.jsonl"), stdout: "" });
    // What comes through a pipe is printed before its end is known.
    expect(await rebase("-", "-")).toMatchObject(stderr("stdin"));
    expect(readdirSync(dir.path)).toEqual(["m.jsonl"]);
  },
  timeoutMs,
);

const roots = ["--source", "src:data/x", "--dest", "dst:copy"];

test(
  "combine names the parts that have one object both",
  async () => {
    using dir = temporaryDirectory();
    const parts = join(dir.path, "parts");
    mkdirSync(parts);
    const part = (name: string, prefix: string, ...keys: string[]) => {
      const entries = keys.map((Path) => JSON.stringify({ Path, Size: 1, ModTime: "", IsDir: false }));
      writeFileSync(join(parts, `lsjson-${name}.json`), `[\n${entries.join(",\n")}\n]\n`);
      writeFileSync(join(parts, `lsjson-${name}.prefix`), prefix);
    };
    const combine = () =>
      xfer(["manifest", "combine", ...roots, "--parts-dir", "parts", "--out", "m.jsonl"], { cwd: dir.path });
    part("1", "", "top", "a/b/c");
    part("2", "a", "x", "b/c", "y");
    expect(await combine()).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "xfer: parts/lsjson-2.json: the key is in parts/lsjson-1.json already: a/b/c: " +
        "keep one of the two parts, or list prefixes that do not overlap\n",
    });
    part("1", "", "top");
    part("2", "a", "x", "b/c", "y", "x");
    expect((await combine()).stderr).toBe(
      "xfer: parts/lsjson-2.json: the key is there twice: a/x: list the prefix of this part again\n",
    );
    expect(readdirSync(dir.path)).toEqual(["parts"]);
    part("2", "a", "x", "b/c", "y");
    expect(await combine()).toMatchObject({ code: 0, stdout: "m.jsonl: 4 objects, 4 B\n" });
  },
  timeoutMs,
);

test(
  "import names the rows that have one object both, and says what to do about versions",
  async () => {
    using dir = temporaryDirectory();
    const time = "2026-01-01T00:00:00.000Z";
    const row = (key: string, latest: string) => `"data","${key}","v","${latest}","1","${time}"\n`;
    const rows = [row("x/a", "true"), row("y/other", "true"), row("x/b", "true"), row("x/a", "false")];
    const text = rows.join("");
    writeFileSync(join(dir.path, "i.csv"), text);
    const args = (format: string, columns: string, input: string) => [
      ...["manifest", "import", "--format", format, "--columns", columns],
      ...[...roots, "--in", input, "--out", "m.jsonl"],
    ];
    const versions = "Bucket,Key,VersionId,Unused,Size,LastModifiedDate";
    const advice =
      "an inventory that lists versions needs the columns IsLatest and IsDeleteMarker, or take one of current versions only";
    expect(await xfer(args("s3-inventory", versions, "i.csv"), { cwd: dir.path })).toEqual({
      code: 2,
      stdout: "",
      stderr: `xfer: i.csv:4: the key is in line 1 already: a: ${advice}\n`,
    });
    const child = Bun.spawn([binary, ...args("s3-inventory", versions, "-")], {
      cwd: dir.path,
      stdin: Buffer.from(text),
      stderr: "pipe",
    });
    expect(await child.stderr.text()).toBe(
      `xfer: stdin: object 3 of those in it has the key of object 1: a: ${advice}\n`,
    );
    expect(await child.exited).toBe(2);
    writeFileSync(join(dir.path, "l.csv"), `b,1,${time}\na,1,${time}\nb,2,${time}\n`);
    expect((await xfer(args("lsf", "pst", "l.csv"), { cwd: dir.path })).stderr).toBe(
      "xfer: l.csv:3: the key is in line 1 already: b: remove one of the two rows\n",
    );
    expect(readdirSync(dir.path).sort()).toEqual(["i.csv", "l.csv"]);
    const latest = versions.replace("Unused", "IsLatest");
    expect(await xfer(args("s3-inventory", latest, "i.csv"), { cwd: dir.path })).toMatchObject({
      code: 0,
      stdout: "m.jsonl: 2 objects, 2 B\n",
      stderr: expect.stringContaining("left out: 1 versions that are not the latest"),
    });
  },
  timeoutMs,
);

/** Writes shards as an earlier build did, which did not look for keys that are there twice. */
function earlierShards(runDir: string, shards: readonly string[]): void {
  mkdirSync(join(runDir, "shards"), { recursive: true });
  writeFileSync(join(runDir, "manifest.jsonl"), shards.join(""));
  const entries = shards.map((text, shard) => {
    const file = `shard_${String(shard).padStart(6, "0")}.jsonl`;
    writeFileSync(join(runDir, "shards", file), text);
    const sizes = text
      .trimEnd()
      .split("\n")
      .map((one) => JSON.parse(one).size as number);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const sha256 = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    return { shard, file, records: sizes.length, bytes, sha256 };
  });
  const meta = {
    schema: "xfer.shards.v1",
    input: "manifest.jsonl",
    outdir: "shards",
    num_shards: shards.length,
    strategy: "count",
    num_records: entries.reduce((sum, { records }) => sum + records, 0),
    bytes_total: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    created_at: "2026-01-01T00:00:00.000Z",
    shards: entries,
  };
  writeFileSync(join(runDir, "shards", "shards.meta.json"), JSON.stringify(meta));
}

test(
  "a run does not begin, or go on from an earlier build, with a key that is in two records",
  async () => {
    await using stage = await Stage.start();
    const record = (path: string, size: number) => {
      const root = { source_root: "src:data", dest_root: "dst:copy" };
      const names = { source: `src:data/${path}`, dest: `dst:copy/${path}` };
      return `${JSON.stringify({ ...recordOf({ path, size }), ...root, ...names })}\n`;
    };
    for (const key of ["a", "b", "c"]) stage.source.put("data", key, "12345");
    // The manifest alone.
    mkdirSync(stage.runDir);
    const [a, b, c] = [record("a", 5), record("b", 5), record("c", 5)];
    writeFileSync(join(stage.runDir, "manifest.jsonl"), a + b + c + b);
    const args = stage.runArgs("--num-shards", "2", "--runtime", "host");
    const fresh = await stage.xfer(...args);
    expect(fresh.code).toBe(2);
    expect(fresh.stderr).toContain("manifest.jsonl:4: the key is in line 2 already: b: ");
    expect(existsSync(join(stage.runDir, "shards"))).toBe(false);
    // Shards that an earlier build made of it.
    earlierShards(stage.runDir, [a + b, c + b]);
    const said = /^xfer: .*shard_000001\.jsonl:2: the key is in .*shard_000000\.jsonl:2 already: b: /m;
    const render = ["slurm", "render", "--runtime", "host", "--run-dir", stage.runDir];
    for (const again of [args, render]) {
      const refused = await stage.xfer(...again);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(said);
    }
    expect(stage.dest.keys("copy")).toEqual([]);
    // Where no key is there twice it goes on, and is not read again.
    earlierShards(stage.runDir, [b, a + c]);
    expect(await stage.xfer(...args)).toMatchObject({ code: 0 });
    expect(stage.dest.keys("copy").sort()).toEqual(["a", "b", "c"]);
    const meta = JSON.parse(readFileSync(join(stage.runDir, "shards", "shards.meta.json"), "utf8"));
    expect(meta).toMatchObject({ keys_distinct: true, created_at: "2026-01-01T00:00:00.000Z" });
    // Rendered by an earlier build too: the submission looks, and so does the agent in its own shard.
    earlierShards(stage.runDir, [a + b, c + b]);
    const submitted = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    expect(submitted.code).toBe(2);
    expect(submitted.stderr).toMatch(said);
    earlierShards(stage.runDir, [a + c, b + c + b]);
    const agent = await stage.xfer("agent", "--run-dir", stage.runDir, "--shard", "1");
    expect(agent.code).toBe(2);
    const twiceInOne = "shard_000001.jsonl:3: the key is in line 1 already: b: ";
    expect(agent.stderr).toContain(twiceInOne);
    expect(state(stage.runDir, 1, "fail")).toMatchObject({
      class: "config",
      final: true,
      message: expect.stringContaining(twiceInOne),
    });
  },
  timeoutMs,
);

/** A manifest of keys in no order, whose last is its first again if that is asked for; short lines, so that it is quick. */
function writeScattered(path: string, records: number, last: string): void {
  const pieces: string[] = [];
  for (let i = 0; i < records; i++) {
    const key = `${((i * 7919) % records).toString(36).padStart(5, "0")}/k`;
    pieces.push(
      `{"schema":"xfer.manifest.v1","run_id":"r","source_root":"a:b","dest_root":"c:d","source":"a:b/${key}",` +
        `"dest":"c:d/${key}","path":"${key}","size":1,"mtime":null,"hashes":{},"etag":null,"storage_class":null,"meta":{}}\n`,
    );
  }
  writeFileSync(path, `${pieces.join("")}${last}`);
}

const scattered = 2_000_000;

test(
  "of two million keys in no order the one that is there twice is named, in little memory; kill -9 leaves nothing behind",
  async () => {
    using dir = temporaryDirectory();
    const again = '"source":"a:b/00000/k","dest":"c:d/00000/k","path":"00000/k"';
    const last =
      `{"schema":"xfer.manifest.v1","run_id":"r","source_root":"a:b","dest_root":"c:d",${again},"size":1,` +
      '"mtime":null,"hashes":{},"etag":null,"storage_class":null,"meta":{}}\n';
    const manifest = join(dir.path, "m.jsonl");
    writeScattered(manifest, scattered, last);
    const args = ["manifest", "shard", "--in", "m.jsonl", "--outdir", "shards", "--num-shards", "4"];
    const refused = await measure([binary, ...args], dir.path);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(
      `m.jsonl:${scattered + 1}: the key is in line 1 already: 00000/k: of one object`,
    );
    expect(refused.peakBytes).toBeGreaterThan(20e6);
    expect(refused.peakBytes).toBeLessThan(128e6);
    expect(readdirSync(dir.path)).toEqual(["m.jsonl"]);
    const running = startXfer(args, { cwd: dir.path });
    await until("hashes to be written to disk", () => scratchBytes(running.pid) > 0);
    kill(running.pid, "SIGKILL");
    expect((await running.result).code).toBe(137);
    expect(readdirSync(dir.path)).toEqual(["m.jsonl"]);
  },
  timeoutMs,
);

/** How much a process has written into scratch files, which have no name any more. */
function scratchBytes(pid: number): number {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    const scratch = fds.find((fd) =>
      /\.scratch\.\d+ \(deleted\)$/.test(readlinkSync(`/proc/${pid}/fd/${fd}`)),
    );
    if (scratch === undefined) return 0;
    return Number(/^pos:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${scratch}`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
