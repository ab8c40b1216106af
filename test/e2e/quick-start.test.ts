import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatBytes } from "../../lib/system/units.ts";
import { binary, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

const readme = readFileSync(join(import.meta.dir, "..", "..", "README.md"), "utf8");

/** The first indented block below a heading of README.md. */
function blockBelow(heading: string): string[] {
  const [, section = ""] = readme.split(`\n## ${heading}\n`);
  const block = /(?:^ {4}.*\n)+/m.exec(section)?.[0] ?? "";
  return block
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(4));
}

test(
  "the README's first copy runs as it stands where there is no rclone.conf, and prints what it says",
  async () => {
    using dir = temporaryDirectory();
    const home = join(dir.path, "home");
    const work = join(dir.path, "work");
    for (const path of [home, work]) mkdirSync(path);
    const block = blockBelow("Five minutes on one machine");
    const commands = block.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
    expect(commands.length).toBeGreaterThan(1);
    const env = { HOME: home, PATH: `${dirname(binary)}:${process.env.PATH}` };
    const shell = Bun.spawn(["sh", "-ec", commands.join("\n")], {
      ...{ cwd: work, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    });
    const [code, stdout, stderr] = await Promise.all([
      shell.exited,
      shell.stdout.text(),
      shell.stderr.text(),
    ]);
    expect([code, stderr.includes("xfer:")]).toEqual([0, false]);
    const told = block.filter((line) => !line.startsWith("$ ")).join("\n");
    const timeless = (text: string) => text.trim().replace(/\(2\d{3}-.*Z\)/, "");
    expect(timeless(stdout)).toBe(timeless(told));
    let bytes = 0;
    for (const name of ["1.txt", "2.txt", "3.txt", "4.txt", "5.txt"]) {
      const copy = readFileSync(join(work, "copy", name));
      expect(copy.equals(readFileSync(join(work, "set", name)))).toBe(true);
      bytes += copy.length;
    }
    expect(stdout).toContain(formatBytes(bytes));
    expect(readdirSync(join(work, "run"), { recursive: true }).length).toBeLessThan(40);
    expect(readdirSync(join(work, "run", "shards"))).toEqual(["shard_000000.jsonl", "shards.meta.json"]);
  },
  timeoutMs,
);

test(
  "where there is no rclone.conf, one line says where it was looked for and what to do",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "set"));
    const local = ["run", "--executor", "local", "--source", "set", "--dest"];
    const result = await xfer([...local, "store:bucket"], { cwd: dir.path });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toBe(
      `xfer: --dest: names the remote store, but there is no rclone.conf (looked for ${dir.path}/.config/rclone/` +
        'rclone.conf): make it with "rclone config", or name another file with --rclone-config; a path with a colon in ' +
        "its first name is written ./store:bucket\n",
    );
    expect(readdirSync(dir.path)).toEqual(["set"]);
  },
  timeoutMs,
);
