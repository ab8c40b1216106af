import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { root as commands } from "../../cmd/cli/commands.ts";
import { loadTree } from "../../cmd/cli/load-tree.ts";
import { allOf } from "../../cmd/cli/tree.ts";
import { version } from "../../package.json" with { type: "json" };
import { ensureRclone, findProgram } from "../setup/packages.ts";
import { timeoutMs } from "../stage/harness.ts";

/**
 * The release's binary for linux-x64 on a machine that has nothing: a root of the dynamic loader, glibc, rclone and sync,
 * without a shell, other tools, a user data base, a temporary folder or a network. There are /proc and /dev/null.
 */
const repository = join(import.meta.dir, "..", "..");
const names = allOf(await loadTree(commands)).map(({ spec }) => spec.name);
let root = "";

/** Puts a program and the libraries that it names into the root. */
function install(from: string, to: string): void {
  const ldd = Bun.spawnSync(["ldd", from]).stdout.toString();
  const libraries = [...ldd.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  for (const [source, target] of [[from, to], ...libraries.map((path) => [path, path])]) {
    mkdirSync(dirname(join(root, target ?? "")), { recursive: true });
    copyFileSync(source ?? "", join(root, target ?? ""));
  }
}

/** Runs the binary in the root, with a network of its own in which not even the loopback is up. */
async function inRoot(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = 'mount -t proc proc "$1/proc" && mount --bind /dev/null "$1/dev/null" && exec chroot "$@"';
  const child = Bun.spawn(
    ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", script, "sh", root, "/bin/xfer", ...words],
    {
      env: { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: "/home" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, stdout, stderr };
}

beforeAll(async () => {
  await ensureRclone();
  const built = Bun.spawnSync([process.execPath, "run", ".ci/build.ts", "linux-x64"], { cwd: repository });
  if (!built.success) throw new Error(built.stderr.toString());
  root = mkdtempSync(join(tmpdir(), "xfer-root-"));
  install(join(repository, "dist", "release", `xfer-${version}-linux-x64`), "/bin/xfer");
  for (const name of ["proc", "dev", "home", "set"]) mkdirSync(join(root, name));
  writeFileSync(join(root, "dev", "null"), "");
  for (const name of ["one", "two", "three"]) writeFileSync(join(root, "set", name), name.repeat(1000));
}, timeoutMs);

afterAll(() => rmSync(root, { recursive: true, force: true }));

test("the root holds the loader, glibc's libraries and xfer, and nothing else", () => {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.parentPath !== join(root, "set"))
    .map((entry) => basename(entry.name));
  const glibc = /^(?:libc|libm|libdl|libpthread|librt)\.so\.\d+$|^ld-linux-[\w-]+\.so\.\d+$/;
  expect(files.filter((name) => !glibc.test(name)).sort()).toEqual(["null", "xfer"]);
});

test.each(names.map((name) => [name]))(
  "%s shows its whole help",
  async (name) => {
    const { code, stdout, stderr } = await inRoot(...name.split(" ").slice(1), "--help-all");
    expect(stderr).toBe("");
    expect(stdout).toBe(
      readFileSync(
        join(repository, "test", "cmd", "golden", `${name.replaceAll(" ", "-")}.help-all.txt`),
        "utf8",
      ),
    );
    expect(code).toBe(0);
  },
  timeoutMs,
);

test(
  "it tells what it is, and writes its pages",
  async () => {
    const about = await inRoot("version", "--json");
    expect(JSON.parse(about.stdout)).toMatchObject({
      ...{ schema: "xfer.version.v1", version, target: "linux-x64", platform: "linux", arch: "x64" },
      schemas: {
        reads: expect.arrayContaining(["xfer.manifest.v1", "xfer.runconfig.v1"]),
        writes: expect.arrayContaining(["xfer.manifest.v1", "xfer.version.v1"]),
      },
    });
    mkdirSync(join(root, "man"));
    expect(await inRoot("man", "--out", "/man")).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(join(root, "man"))).toHaveLength(names.length);
  },
  timeoutMs,
);

test.each(names.filter((name) => name === "xfer skills install"))(
  "%s writes the skills",
  async (name) => {
    const { code, stderr } = await inRoot(...name.split(" ").slice(1), "/skills");
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(readdirSync(join(root, "skills"))).toContain("xfer-oneshot");
  },
  timeoutMs,
);

describe("a copy from folder to folder", () => {
  const copy = (runDir: string) =>
    inRoot("run", "--executor", "local", "--source", "/set", "--dest", "/copy", "--run-dir", runDir);

  test(
    "says which program is missing, one after the other, and has written nothing",
    async () => {
      expect(await copy("/run")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^xfer: (?:rclone|sync) was not found on PATH .*: install it here/m),
      });
      install(findProgram("rclone") ?? "", "/usr/bin/rclone");
      expect(await copy("/run")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^xfer: sync was not found on PATH .*: install it here/m),
      });
      expect(readdirSync(root)).not.toContain("copy");
      expect(readdirSync(root)).not.toContain("run");
    },
    timeoutMs,
  );

  test(
    "works with rclone and sync alone, without a network",
    async () => {
      install(findProgram("sync") ?? "", "/usr/bin/sync");
      const { code, stdout, stderr } = await copy("/run");
      expect(stderr).not.toContain("error");
      expect(stdout).toMatch(/^copied +3 objects[\s\S]*^verified: 3 by size/m);
      expect(code).toBe(0);
      for (const name of ["one", "two", "three"]) {
        expect(readFileSync(join(root, "copy", name), "utf8")).toBe(name.repeat(1000));
      }
    },
    timeoutMs,
  );
});
