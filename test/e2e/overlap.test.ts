import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, type Result, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

/** A folder X with a file and a folder in it, names for it, and an rclone.conf of its own. */
function stage(dir: string) {
  const x = join(dir, "x");
  mkdirSync(join(x, "sub"), { recursive: true });
  writeFileSync(join(x, "file"), "content");
  writeFileSync(join(x, "sub", "file"), "content");
  symlinkSync(x, join(dir, "link"));
  symlinkSync(join(x, "sub"), join(dir, "into"));
  mkdirSync(join(dir, "bound"));
  const conf = join(dir, "rclone.conf");
  writeFileSync(conf, `[nick]\ntype = alias\nremote = ${x}\n[disk]\ntype = local\n`, { mode: 0o600 });
  return { x, conf };
}

const words = (conf: string, source: string, dest: string) => [
  ...["run", "--executor", "local", "--rclone-config", conf, "--num-shards", "1", "--run-dir", "run"],
  ...["--source", source, "--dest", dest],
];

function expectRefused(result: Result, dir: string, said: string): void {
  expect(result, said).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toContain(said);
  expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(existsSync(join(dir, "run"))).toBe(false);
}

test.each([
  ["x", "x", "is the same place as"],
  ["x", "x/sub/", "lies inside"],
  ["x", "x/new/deep", "lies inside"],
  ["x/sub", "x", "lies inside"],
  ["x", "link", "is the same place as"],
  ["link", "x/new", "lies inside"],
  ["x", "into/new", "lies inside"],
  ["x", "nick:", "is the same place as"],
  ["nick:sub", "into", "is the same place as"],
  ["nick:", "disk:@/link/new", "lies inside"],
  ["x", ":local:@/x/../link", "is the same place as"],
])("%s to %s is refused before anything is made", async (source, dest, said) => {
  using temp = temporaryDirectory("xfer overlap ");
  const { conf } = stage(temp.path);
  const root = (text: string) => text.replace("@", temp.path);
  const result = await xfer(words(conf, root(source), root(dest)), { cwd: temp.path });
  expectRefused(result, temp.path, said);
  expect(readdirSync(join(temp.path, "x"))).toEqual(["file", "sub"]);
});

test.each([
  // A folder of the source, mounted elsewhere; then all of it.
  ["x/sub", "bound/new", "lies inside"],
  ["x", "bound", "is the same place as"],
])("a bind mount of %s is the source: to %s", async (mounted, dest, said) => {
  using temp = temporaryDirectory("xfer overlap ");
  const { conf } = stage(temp.path);
  const script = 'mount --bind "$1" bound && shift && exec "$@"';
  const argv = [binary, ...words(conf, "x", dest)];
  const child = Bun.spawn(["unshare", "-rm", "sh", "-c", script, "sh", mounted, ...argv], {
    cwd: temp.path,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  expectRefused({ code, stdout, stderr }, temp.path, said);
});

test(
  "every way to a run refuses roots that overlap, and neighbours are copied",
  async () => {
    using temp = temporaryDirectory("xfer overlap ");
    const dir = temp.path;
    const { x, conf } = stage(dir);
    const refused = async (...args: string[]) => {
      const result = await xfer(args, { cwd: dir });
      expect(result.code, `${args.join(" ")}: ${result.stderr}`).toBe(2);
      expect(result.stderr).toContain("lies inside");
    };
    const into = join(dir, "into", "new");
    const done = await xfer(words(conf, "x/sub", "x2"), { cwd: dir });
    expect(done.code, done.stderr).toBe(0);
    expect(readFileSync(join(dir, "x2", "file"), "utf8")).toBe("content");
    const roots = ["--source", x, "--dest", into, "--out", "m.jsonl"];
    await refused("manifest", "build", ...roots, "--runtime", "host");
    writeFileSync(join(dir, "keys"), "file\n");
    await refused("manifest", "import", ...roots, "--in", "keys", "--format", "keys", "--runtime", "host");
    mkdirSync(join(dir, "parts"));
    await refused("manifest", "combine", ...roots, "--parts-dir", "parts");
    const manifest = join(dir, "run", "manifest.jsonl");
    await refused("manifest", "rebase", "--in", manifest, "--out", "m.jsonl", "--dest-root", `${x}/sub/deep`);
    await refused(
      ...["slurm", "render", "--run-dir", "other", "--manifest", manifest, "--num-shards", "1"],
      ...["--runtime", "host", "--dest-root", `${x}/sub/deep`],
    );
    // It may have been rendered on a machine where the paths are others.
    const config = join(dir, "run", "config.resolved.json");
    const dest = /("dest_root": ).*/;
    writeFileSync(
      config,
      readFileSync(config, "utf8").replace(dest, `$1${JSON.stringify(`${x}/sub/deep`)},`),
    );
    await refused("slurm", "submit", "--run-dir", "run");
    expect([existsSync(join(dir, "m.jsonl")), existsSync(join(dir, "other"))]).toEqual([false, false]);
  },
  timeoutMs,
);
