import { beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cutChangelog, versionProblem } from "../.ci/changelog.ts";
import { ensurePackages, program } from "./setup/packages.ts";

const day = "2026-11-25";
const earlier = "## 0.1.0 - 2026-01-02\n\n- old\n";

test.each([
  ["# C\n\n## Unreleased\n\n- new\n", "# C\n\n## Unreleased\n\n## 0.2.0 - 2026-11-25\n\n- new\n", "- new"],
  [
    `# C\n\n## Unreleased\n\n### Added\n\n- new\n  and more\n\n${earlier}`,
    `# C\n\n## Unreleased\n\n## 0.2.0 - 2026-11-25\n\n### Added\n\n- new\n  and more\n\n${earlier}`,
    "### Added\n\n- new\n  and more",
  ],
  [
    `# C\n\n## Unreleased\n\n## 0.2.0 - 2026-11-20\n\n- cut\n\n${earlier}`,
    `# C\n\n## Unreleased\n\n## 0.2.0 - 2026-11-20\n\n- cut\n\n${earlier}`,
    "- cut",
  ],
])("unreleased lines become a version's: %j", (text, after, notes) => {
  expect(cutChangelog(text, "0.2.0", day)).toEqual({ text: after, notes });
});

test.each([
  [`# C\n\n${earlier}`, /no heading/],
  [`# C\n\n## Unreleased\n\n${earlier}`, /nothing is under/],
  ["# C\n\n## Unreleased\n\n- new\n\n## 0.2.0 - 2026-11-20\n\n- cut\n", /has 0\.2\.0 already/],
])("a changelog that cannot be cut is left alone: %j", (text, problem) => {
  const cut = cutChangelog(text, "0.2.0", day);
  expect("problem" in cut ? cut.problem : cut.text).toMatch(problem);
});

test.each([
  ["0.2.0", "0.1.0", undefined],
  ["0.10.0", "0.9.9", undefined],
  ["1.0.0", "0.9.0", undefined],
  ["0.2.0", "0.2.0", undefined],
  ["0.1.9", "0.2.0", /below 0\.2\.0/],
  ["0.2", "0.1.0", /no version/],
  ["v0.2.0", "0.1.0", /no version/],
] as [string, string, RegExp | undefined][])("%s after %s", (version, last, problem) => {
  const found = versionProblem(version, last);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(problem);
});

describe("a release", () => {
  let dir = "";
  const git = (...words: string[]) => run("git", ...words);

  function run(...argv: string[]): { code: number; out: string } {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
    const child = Bun.spawnSync(argv, { cwd: dir, env, stdout: "pipe", stderr: "pipe" });
    return { code: child.exitCode, out: (child.stdout.toString() + child.stderr.toString()).trim() };
  }

  const release = (...words: string[]) => run(process.execPath, "run", ".ci/release.ts", ...words);
  const read = (name: string) => readFileSync(join(dir, name), "utf8");

  beforeAll(() => ensurePackages([program("git", "git")]));

  /** A repository with this release script, whose build notes what it builds. */
  function withRepository(play: () => void): void {
    dir = mkdtempSync(join(tmpdir(), "xfer-release-"));
    try {
      mkdirSync(join(dir, ".ci"));
      for (const name of ["release.ts", "changelog.ts"]) {
        cpSync(join(import.meta.dir, "..", ".ci", name), join(dir, ".ci", name));
      }
      writeFileSync(
        join(dir, ".ci", "build-all.ts"),
        `import { mkdirSync, writeFileSync } from "node:fs";
import { version } from "../package.json" with { type: "json" };
mkdirSync("dist/release", { recursive: true });
const commit = Bun.spawnSync(["git", "rev-parse", "HEAD"]).stdout.toString().trim();
writeFileSync("dist/release/built", version + " of " + commit);
`,
      );
      writeFileSync(join(dir, "package.json"), '{\n  "name": "xfer",\n  "version": "0.1.0"\n}\n');
      writeFileSync(join(dir, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n- It copies.\n");
      writeFileSync(join(dir, ".gitignore"), "dist/\nnode_modules/\n");
      run(process.execPath, "install");
      git("init", "--quiet", "--initial-branch=main");
      git("config", "user.name", "Releaser");
      git("config", "user.email", "releaser@example.org");
      git("add", "-A");
      expect(git("commit", "--quiet", "-m", "Begin").code).toBe(0);
      play();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  test("says what it would do, and does nothing", () =>
    withRepository(() => {
      const { code, out } = release("--dry-run", "0.2.0");
      expect(out).toMatch(/would cut .* 0\.2\.0[\s\S]*- It copies\.[\s\S]*tag v0\.2\.0[\s\S]*push nothing/);
      expect(code).toBe(0);
      expect(git("status", "--porcelain").out).toBe("");
      expect(git("tag", "--list").out).toBe("");
    }));

  test("cuts, commits, builds the commit and tags it", () =>
    withRepository(() => {
      const { code, out } = release("0.2.0");
      expect(out).toInclude("tagged v0.2.0");
      expect(code).toBe(0);
      expect(read("CHANGELOG.md")).toMatch(
        /^# Changelog\n\n## Unreleased\n\n## 0\.2\.0 - \d{4}-\d\d-\d\d\n\n- It copies\.\n$/,
      );
      expect(JSON.parse(read("package.json")).version).toBe("0.2.0");
      expect(git("status", "--porcelain").out).toBe("");
      expect(git("show", "--no-patch", "--format=%s", "HEAD").out).toBe("xfer 0.2.0");
      expect(git("rev-parse", "v0.2.0^{commit}").out).toBe(git("rev-parse", "HEAD").out);
      expect(git("tag", "--list", "--format=%(contents)", "v0.2.0").out).toInclude("- It copies.");
      expect(read("dist/release/built")).toBe(`0.2.0 of ${git("rev-parse", "HEAD").out}`);
    }));

  test("goes on from a cut that was committed before", () =>
    withRepository(() => {
      expect(release("--cut", "0.2.0").code).toBe(0);
      git("commit", "--quiet", "--all", "-m", "Cut 0.2.0");
      expect(release("0.2.0")).toMatchObject({ code: 0 });
      expect(git("show", "--no-patch", "--format=%s", "v0.2.0^{commit}").out).toBe("Cut 0.2.0");
    }));

  test("of what does not build leaves no commit", () =>
    withRepository(() => {
      writeFileSync(join(dir, ".ci", "build-all.ts"), "process.exit(1);\n");
      git("commit", "--quiet", "--all", "-m", "Break the build");
      const { code, out } = release("0.2.0");
      expect(out).toInclude("nothing was released");
      expect(code).toBe(1);
      expect(git("status", "--porcelain").out).toBe("");
      expect(git("show", "--no-patch", "--format=%s").out).toBe("Break the build");
      expect(git("tag", "--list").out).toBe("");
    }));

  test.each([
    ["a tree that is not clean", () => writeFileSync(join(dir, "new.txt"), "x"), /not clean/],
    ["another branch", () => git("checkout", "--quiet", "-b", "other"), /made on main/],
    ["a tag that is there", () => git("tag", "v0.2.0"), /tag v0\.2\.0 already/],
  ] as [string, () => void, RegExp][])("is refused for %s", (_, prepare, problem) =>
    withRepository(() => {
      prepare();
      const { code, out } = release("0.2.0");
      expect(out).toMatch(problem);
      expect(code).toBe(1);
      expect(read("package.json")).toInclude('"0.1.0"');
    }),
  );
});
