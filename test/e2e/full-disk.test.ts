import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startXfer, temporaryDirectory, timeoutMs } from "../stage/harness.ts";

const temp = temporaryDirectory();
const source = join(temp.path, "in");
const manifest = join(temp.path, "manifest.jsonl");
const full = join(temp.path, "full");
/** A manifest on another disk than the parts of its listing. */
const apart = join(temp.path, "apart.jsonl");

const xfer = (...args: string[]) => startXfer(args, { cwd: temp.path }).result;

function mount(...words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["mount", ...words]);
  if (exitCode !== 0) throw new Error(`mount ${words.join(" ")}: ${stderr.toString()}`);
}

beforeAll(async () => {
  mkdirSync(source);
  mkdirSync(full);
  const name = "long".repeat(40);
  for (let i = 0; i < 600; i++) writeFileSync(join(source, `${name} ${i}`), "");
  const built = await xfer(
    ...["manifest", "build", "--runtime", "host", "--source", source, "--dest", join(temp.path, "out")],
    ...["--out", manifest],
  );
  if (built.code !== 0) throw new Error(built.stderr);
  mount("-t", "tmpfs", "-o", "size=128k", "tmpfs", full);
}, timeoutMs);

afterAll(() => {
  Bun.spawnSync(["umount", "-l", full]);
  temp[Symbol.dispose]();
});

const roots = ["--source", source, "--dest", join(temp.path, "out")];

/** [what is written, the command, the file that the message names] */
const rows: [string, string[], string][] = [
  ["a manifest", ["manifest", "build", "--runtime", "host", ...roots, "--out", `${full}/m.jsonl`], "m.jsonl"],
  [
    "a manifest, and parts of its listing",
    ["manifest", "build", "--runtime", "host", ...roots, "--out", `${full}/m.jsonl`, "--list-parallel", "2"],
    "m.jsonl",
  ],
  [
    "parts of a listing",
    ["manifest", "build", "--runtime", "host", ...roots, "--out", apart, "--list-parallel", "2"],
    "parts/lsjson-",
  ],
  [
    "shards",
    ["manifest", "shard", "--in", manifest, "--outdir", `${full}/shards`, "--num-shards", "3"],
    "shards/shard_00000",
  ],
  [
    "a rebased manifest",
    [
      "manifest",
      "rebase",
      "--in",
      manifest,
      "--source-root",
      "a:b",
      "--dest-root",
      "c:d",
      "--out",
      `${full}/r.jsonl`,
    ],
    "r.jsonl",
  ],
  [
    "a run directory",
    ["run", "--executor", "local", ...roots, "--run-dir", `${full}/run`],
    "run/manifest.jsonl",
  ],
  [
    "the binary of a run directory",
    [
      ...["slurm", "render", "--runtime", "host", "--run-dir", `${full}/run`],
      ...["--num-shards", "1", "--manifest", manifest],
    ],
    "run/bin/xfer",
  ],
];

describe("on a full disk", () => {
  test.each(rows)(
    "%s: exit code 1, one line that names the file and what to do, and nothing is left",
    async (_, args, name) => {
      if (args.includes(apart)) {
        mkdirSync(join(full, "parts"));
        symlinkSync(join(full, "parts"), `${apart}.parts`);
      }
      const result = await xfer(...args);
      expect(result.stderr).toContain(`${join(full, name)}`);
      const said = result.stderr.split("\n").find((line) => line.startsWith("xfer: ")) ?? result.stderr;
      expect(said).toEndWith(
        ": cannot be written: no space left on device: free some space there, and run the same command again (ENOSPC)",
      );
      expect(result.stderr).not.toMatch(/^\s+at /m);
      expect(result.code).toBe(1);
      const left = [temp.path, full].flatMap((dir) =>
        readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
      );
      expect(left.map(({ name }) => name).filter((one) => one.includes(".tmp."))).toEqual([]);
      Bun.spawnSync(["sh", "-c", 'rm -rf "$0"/*', full]);
    },
    timeoutMs,
  );

  test(
    "a file system that is mounted read-only is told by its name before anything is listed",
    async () => {
      mount("-o", "remount,ro", full);
      const out = join(full, "m.jsonl");
      const result = await xfer("manifest", "build", "--runtime", "host", ...roots, "--out", out);
      mount("-o", "remount,rw", full);
      expect(result.stderr).toContain(
        `xfer: --out: ${full} cannot be written (EROFS): choose a place that can be\n`,
      );
      expect(result.code).toBe(2);
    },
    timeoutMs,
  );
});
