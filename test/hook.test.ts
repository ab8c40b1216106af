import { beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePackages, program } from "./setup/packages.ts";

const root = join(import.meta.dir, "..");

beforeAll(() => ensurePackages([program("git", "git")]));

test("the pre-commit hook refuses what is not formatted or has no types, and takes what has both", () => {
  const dir = mkdtempSync(join(tmpdir(), "xfer-hook-"));
  try {
    const git = (...words: string[]) => {
      const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
      const child = Bun.spawnSync(["git", ...words], { cwd: dir, env, stdout: "pipe", stderr: "pipe" });
      return { code: child.exitCode, out: child.stdout.toString() + child.stderr.toString() };
    };
    const commitOf = (text: string) => {
      writeFileSync(join(dir, "lib", "one.ts"), text);
      git("add", "lib");
      return git("commit", "-m", "One");
    };
    for (const name of ["biome.json", "tsconfig.json", ".ci/hook"]) {
      cpSync(join(root, name), join(dir, name), { recursive: true });
    }
    mkdirSync(join(dir, "lib"));
    symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
    git("init", "--quiet");
    git("config", "user.name", "Someone");
    git("config", "user.email", "someone@example.org");
    git("config", "core.hooksPath", ".ci/hook");
    expect(commitOf("export const  one=1\n")).toMatchObject({ out: expect.stringContaining("lib/one.ts") });
    expect(commitOf('export const one: number = "1";\n')).toMatchObject({
      out: expect.stringContaining("TS2322"),
    });
    expect(git("rev-parse", "--verify", "--quiet", "HEAD").code).not.toBe(0);
    expect(commitOf("export const one = 1;\n")).toMatchObject({ code: 0 });
    expect(git("show", "--no-patch", "--format=%s").out.trim()).toBe("One");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
