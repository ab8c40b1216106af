import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stage, timeoutMs } from "../stage/harness.ts";

/** Objects below x/, and the markers that S3 consoles and others put beside them. */
const objects = ["x/a", "x/s/b", "x/s/t/c", "x/u/d"];
const mtime = new Date(1.7e12);

async function stageWith(markers: Record<string, string>): Promise<Stage> {
  const stage = await Stage.start();
  for (const key of objects) stage.source.put("data", key, `content of ${key}`, { mtime });
  for (const [key, body] of Object.entries(markers)) stage.source.put("data", key, body, { mtime });
  return stage;
}

const paths = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { path: string }).path)
    .sort();
const untransferable = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { key: string; size: number; reason: string })
    .map(({ key, size }) => [key, size])
    .sort();
const found = ["a", "s/b", "s/t/c", "u/d"];
const roots = ["--source", "src:data/x", "--dest", "dst:copy/y"];
const lineOf = (count: number) =>
  `${count} directory marker${count === 1 ? "" : "s"} ${count === 1 ? "is" : "are"} not in the manifest: rclone copies no object whose key ends in a slash; ` +
  "the first: src:data/x/";

test(
  "markers without content, of the root and below it: everything else is listed and copied, and nothing is said",
  async () => {
    await using stage = await stageWith({ "x/": "", "x/s/": "", "x/empty/": "" });
    for (const source of ["src:data/x", "src:data/x/"]) {
      for (const listers of ["1", "3"]) {
        const out = `m-${source.length}-${listers}`;
        const build = ["manifest", "build", "--runtime", "host", ...roots, "--rclone-config", stage.conf];
        const result = await stage.xfer(
          ...[...build, "--source", source, "--out", out, "--list-parallel", listers],
        );
        expect(result).toMatchObject({ code: 0, stderr: "" });
        expect(paths(join(stage.dir, out))).toEqual(found);
      }
    }
    const run = await stage.xfer(...stage.runArgs(...roots, "--num-shards", "1", "--verify"));
    expect(run.stderr).not.toContain("warning");
    expect(run.code).toBe(0);
    expect(stage.dest.keys("copy")).toEqual(objects.map((key) => key.replace("x/", "y/")));
  },
  timeoutMs,
);

test(
  "markers with content, which rclone lists but cannot copy: named as untransferable, and the rest is copied",
  async () => {
    await using stage = await stageWith({ "x/": "root", "x/s/": "s", "x/s/t/": "t" });
    const build = ["manifest", "build", "--runtime", "host", ...roots, "--rclone-config", stage.conf];
    for (const listers of ["1", "3"]) {
      const result = await stage.xfer(...build, "--out", `m-${listers}`, "--list-parallel", listers);
      const warnings = result.stderr.split("\n").filter((line) => line.includes("warning"));
      expect(warnings).toHaveLength(4);
      expect(warnings[0]).toEndWith(
        `warning: 3 objects (6 B) cannot be transferred and are not in the manifest: see m-${listers}.untransferable.jsonl`,
      );
      expect(result.code).toBe(0);
      expect(paths(join(stage.dir, `m-${listers}`))).toEqual(found);
      expect(untransferable(join(stage.dir, `m-${listers}.untransferable.jsonl`))).toEqual([
        ["", 4],
        ["s/", 1],
        ["s/t/", 1],
      ]);
    }
    const args = stage.runArgs(...roots, "--num-shards", "1");
    const run = await stage.xfer(...args, "--json");
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      listed: { objects: 7 },
      copied: { objects: 4 },
      failed: { objects: 0 },
      untransferable: { objects: 3, bytes: 6 },
    });
    expect((await stage.xfer(...args, "--allow-untransferable")).code).toBe(0);
    expect(stage.dest.keys("copy")).toEqual(objects.map((key) => key.replace("x/", "y/")));

    // At the destination they are neither extra nor anything else.
    stage.dest.put("copy", "y/", "root");
    stage.dest.put("copy", "y/s/", "s");
    stage.dest.put("copy", "y/more", "");
    const delta = await stage.xfer(
      ...["manifest", "delta", "--runtime", "host", "--rclone-config", stage.conf, "--in", "m-1"],
      ...["--out", "d", "--extra-out", "extra", "--json"],
    );
    expect(JSON.parse(delta.stdout)).toMatchObject({ same: 4, new: 0, changed: 0, extra: 1 });
    expect(readFileSync(join(stage.dir, "extra"), "utf8")).toBe("more\n");
  },
  timeoutMs,
);

test(
  "a root that holds only its own marker is an empty one",
  async () => {
    for (const body of ["", "root"]) {
      await using stage = await Stage.start();
      stage.source.put("data", "x/", body);
      const build = ["manifest", "build", "--runtime", "host", ...roots, "--rclone-config", stage.conf];
      for (const listers of ["1", "3"]) {
        const result = await stage.xfer(...build, "--out", "m", "--list-parallel", listers);
        expect(result.stderr).toContain(
          body === ""
            ? "no object was found under src:data/x: check the bucket and prefix"
            : "no object under src:data/x can be transferred: src:data/x/: rclone copies no object whose key ends in",
        );
        expect(result.code).toBe(1);
        expect(await Bun.file(join(stage.dir, "m")).exists()).toBe(false);
      }
    }
  },
  timeoutMs,
);

test(
  "markers in an inventory, a list of keys, rclone lsf and kept listings: left out with one line",
  async () => {
    await using stage = await stageWith({ "x/": "", "x/s/": "" });
    const write = (name: string, lines: string[]) => writeFileSync(join(stage.dir, name), lines.join(""));
    const size = (key: string) => stage.source.head("data", key)?.size;
    const all = stage.source.keys("data");
    write(
      "inventory",
      all.map((key) => `"data","${key}","${size(key)}"\n`),
    );
    write("lsf", [...found.map((path) => `${path},${size(`x/${path}`)}\n`), ",0\n", "s/,0\n"]);
    write(
      "keys",
      [...found, "s/"].map((path) => `${path}\n`),
    );
    mkdirSync(join(stage.dir, "parts"));
    const entry = (Path: string, Size: number) => JSON.stringify({ Path, Size });
    write("parts/lsjson-1.prefix", [""]);
    write("parts/lsjson-1.json", [`[\n${entry("", 0)},\n${entry("a", 3)}\n]\n`]);
    write("parts/lsjson-2.prefix", ["s/"]);
    write("parts/lsjson-2.json", [`[\n${entry("", 0)},\n${entry("b", 3)},\n${entry("t/c", 3)}\n]\n`]);
    const imported = (format: string, ...more: string[]) => [
      ...["manifest", "import", ...roots, "--format", format, "--in", format.replace("s3-", ""), ...more],
    ];
    const inventory = imported("s3-inventory", "--columns", "Bucket,Key,Size");
    const keys = imported("keys", "--runtime", "host", "--rclone-config", stage.conf);
    const combined = ["manifest", "combine", ...roots, "--parts-dir", "parts"];
    const rows: [string[], string[], string][] = [
      [inventory, found, lineOf(2)],
      [imported("lsf", "--columns", "ps"), found, lineOf(2)],
      [keys, found, `${lineOf(1)}s/`],
      [combined, ["a", "s/b", "s/t/c"], lineOf(2)],
    ];
    for (const [index, [args, listed, line]] of rows.entries()) {
      const result = await stage.xfer(...args, "--out", `m-${index}`);
      expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(result.stderr.trimEnd()).toEndWith(` ${line}`);
      expect(result.code).toBe(0);
      expect(paths(join(stage.dir, `m-${index}`))).toEqual(listed);
    }
  },
  timeoutMs,
);
