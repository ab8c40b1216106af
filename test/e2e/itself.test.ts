import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureRclone } from "../setup/packages.ts";
import { temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

// What the program tells of itself, and the flags that every command has.

await ensureRclone();

test("help is the same however it is asked for, and goes to stderr when a command is missing", async () => {
  const ask = async (line: string) => await xfer(line.split(" ").filter(Boolean), { cwd: "/" });
  const [asked, helped, early] = await Promise.all(
    ["manifest build --help", "help manifest build", "-q --color never manifest build -h"].map(ask),
  );
  expect(asked).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringContaining("Usage: xfer manifest"),
  });
  expect(helped).toEqual(asked);
  expect(early).toEqual(asked);
  const [all, helpedAll] = await Promise.all(["run --help-all", "help run --all"].map(ask));
  expect(helpedAll).toEqual(all);
  expect(all?.stdout.length).toBeGreaterThan(asked?.stdout.length ?? 0);
  for (const line of ["", "manifest", "slurm"]) {
    const [{ stdout } = { stdout: "" }, missing] = await Promise.all([`${line} --help`, line].map(ask));
    const said = `a command is missing after "${`xfer ${line}`.trim()}" (see ${`xfer ${line}`.trim()} --help)`;
    expect(missing).toEqual({ code: 2, stdout: "", stderr: `${stdout}\nxfer: ${said}\n` });
  }
});

test("color is in the help where it is asked for, whatever NO_COLOR says, and nowhere else by itself", async () => {
  const help = (words: string[], env = {}) => xfer(["run", "--help", ...words], { cwd: "/", env });
  using dir = temporaryDirectory();
  const line = "run --source a --dest b --rclone-image none.sqsh --rclone-config none.conf --color always";
  const { stderr } = await xfer(line.split(" "), { cwd: dir.path });
  expect(stderr).toContain(
    `\x1b[33mwarning:\x1b[39m --rclone-config: ${dir.path}/none.conf: no such file here`,
  );
  const [plain, colored] = await Promise.all([help([]), help(["--color", "always"], { NO_COLOR: "1" })]);
  expect(plain.stdout).not.toContain("\x1b");
  expect(colored.stdout).toContain("\x1b[1mUsage:");
  expect(Bun.stripANSI(colored.stdout)).toBe(plain.stdout);
});

test("the version says what it was built from", async () => {
  const { stdout } = await xfer(["version", "--json"], { cwd: "/" });
  const { schema, version, commit, schemas, ...others } = JSON.parse(stdout);
  expect(schema).toBe("xfer.version.v1");
  const { platform, arch } = process;
  expect(others).toEqual({ bun: Bun.version, platform, arch, target: `${platform}-${arch}` });
  for (const known of Object.values(schemas)) expect(known).toContain("xfer.manifest.v1");
  expect((await xfer(["--version"], { cwd: "/" })).stdout).toBe(`${version}\n`);
  const git = Bun.spawnSync(["git", "rev-parse", "--git-dir"], { cwd: import.meta.dir });
  if (git.success) expect(commit).toMatch(/^[0-9a-f]{12,40}(-dirty)?$/);
  else expect(commit).toBeNull();
});

test("a man page for each command is written for a package, and shown by its words", async () => {
  using dir = temporaryDirectory();
  const written = await xfer(["man", "--out", "man"], { cwd: dir.path });
  const pages = readdirSync(join(dir.path, "man")).sort();
  expect(written).toEqual({ code: 0, stdout: `man: ${pages.length} pages\n`, stderr: "" });
  for (const page of ["xfer.1", "xfer-run.1", "xfer-manifest-build.1"]) expect(pages).toContain(page);
  expect(pages).not.toContain("xfer-complete.1");
  const shown = await xfer(["man", "manifest", "build"], { cwd: dir.path });
  expect(shown.stdout).toBe(readFileSync(join(dir.path, "man/xfer-manifest-build.1"), "utf8"));
  const lines = ["man --out man run", "man --out man/xfer.1"].map((line) => line.split(" "));
  for (const line of lines) expect((await xfer(line, { cwd: dir.path })).code).toBe(2);
});

test(
  "quiet leaves data and errors, verbose tells the programs that are started, the usual tells what goes on",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "set"));
    for (const name of ["one", "two"]) writeFileSync(join(dir.path, "set", name), name);
    const run = (name: string, words: string[]) =>
      xfer(
        [
          "run",
          "--executor",
          "local",
          "--source",
          "set",
          "--dest",
          `${name}-copy`,
          "--run-dir",
          name,
          ...words,
        ],
        { cwd: dir.path },
      );
    const [usual, quiet, verbose] = await Promise.all([run("a", []), run("b", ["-q"]), run("c", ["-v"])]);
    expect([usual.code, quiet.code, verbose.code]).toEqual([0, 0, 0]);
    expect(quiet.stderr).toBe("");
    expect(quiet.stdout).toContain("2 objects");
    expect(usual.stderr).toMatch(/ cut into 1 shard /);
    expect(usual.stderr).not.toContain(" running ");
    expect(verbose.stderr).toMatch(/ running \S+rclone lsjson /);
    const failed = await xfer(["verify", "--run-dir", "none", "-q"], { cwd: dir.path });
    expect(failed).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(/^xfer: .*none/) });
  },
  timeoutMs,
);
