import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostileManifest } from "../data/hostile-names.ts";
import { binary, temporaryDirectory, timeoutMs } from "../stage/harness.ts";

/** Runs the binary under a shell that redirects its outputs. */
async function redirected(
  words: string[],
  redirection: string,
  cwd: string,
  env: Record<string, string> = {},
) {
  const child = Bun.spawn(["bash", "-c", `"$@" ${redirection}`, "bash", binary, ...words], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, LANG: "C.UTF-8", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, stdout, stderr };
}

/** A folder with a manifest and a folder to copy. */
function scene() {
  const dir = temporaryDirectory();
  copyFileSync(hostileManifest, join(dir.path, "m.jsonl"));
  mkdirSync(join(dir.path, "in"));
  for (const name of ["one", "two"]) writeFileSync(join(dir.path, "in", name), name);
  return dir;
}

const rates = ["--min-rate", "1Gbps", "--max-rate", "2Gbps"];

/** One of each kind of output. */
const commands: [string, string[]][] = [
  ["help", ["--help"]],
  ["a command's help", ["run", "--help"]],
  ["the version", ["--version"]],
  ["a report as JSON", ["manifest", "analyze", "--in", "m.jsonl", "--json"]],
  ["a report as text", ["manifest", "estimate", "--in", "m.jsonl", ...rates]],
  ["a result in a line", ["manifest", "shard", "--in", "m.jsonl", "--outdir", "out", "--num-shards", "2"]],
  ["lines of data", ["manifest", "rebase", "--in", "m.jsonl", "--out", "-", "--dest-root", "/elsewhere"]],
];

describe.each(commands)("%s", (_what, words) => {
  test.each([
    ["full", ">/dev/full", "xfer: stdout: no space left on device\n"],
    ["closed", ">&-", "xfer: stdout: it is closed\n"],
  ])("stdout is %s: one line, exit code 1", async (_how, redirection, line) => {
    using dir = scene();
    expect(await redirected(words, redirection, dir.path)).toEqual({ code: 1, stdout: "", stderr: line });
  });

  test("the reader goes away: no word", async () => {
    using dir = scene();
    const through = await redirected(words, "| true; exit $PIPESTATUS", dir.path);
    expect(through).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test.each(["2>/dev/full", "2>&-", "2> >(true)"])("%s: the command does its work", async (redirection) => {
    using dir = scene();
    const { code, stdout } = await redirected(words, redirection, dir.path);
    expect(code).toBe(0);
    expect(stdout).not.toBe("");
  });
});

test("an error is still told by the exit code where stderr is full, and by nothing else", async () => {
  using dir = scene();
  for (const words of [["frob"], ["manifest", "analyze", "--in", "none.jsonl"]]) {
    expect(await redirected(words, "2>/dev/full", dir.path)).toEqual({ code: 2, stdout: "", stderr: "" });
  }
});

test(
  "a run whose stderr or stdout is full copies everything",
  async () => {
    using dir = scene();
    const words = ["run", "--executor", "local", "--num-shards", "1", "--source", join(dir.path, "in")];
    const to = (name: string) => ["--dest", join(dir.path, name), "--run-dir", `run-${name}`];
    const blind = await redirected([...words, ...to("a")], "2>/dev/full", dir.path);
    expect(blind.code).toBe(0);
    expect(blind.stdout).toContain("verified");
    const mute = await redirected([...words, ...to("b")], ">/dev/full", dir.path);
    expect(mute.code).toBe(1);
    expect(mute.stderr).toContain("xfer: stdout: no space left on device\n");
    expect(mute.stderr).not.toMatch(/\n\s+at |\$bunfs/);
    for (const name of ["a/one", "a/two", "b/one", "b/two", "run-b/verify.json"]) {
      expect([name, existsSync(join(dir.path, name))]).toEqual([name, true]);
    }
  },
  timeoutMs,
);
