import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cutChangelog, versionProblem } from "./changelog.ts";

/**
 * `.ci/release [--dry-run | --cut] VERSION`: cuts the changelog, sets the version, commits, builds dist/release, and tags.
 * It pushes nothing. --dry-run prints what it would do; --cut only writes CHANGELOG.md and package.json.
 */

const usage = "usage: .ci/release [--dry-run | --cut] VERSION";
const root = process.cwd();
const changelogPath = join(root, "CHANGELOG.md");
const packagePath = join(root, "package.json");

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function fail(what: string): never {
  process.stderr.write(`release: ${what}\n`);
  process.exit(1);
}

/** Runs a program, and ends the release when it fails. Gives what it printed. */
function run(argv: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode === 0) return stdout.toString().trimEnd();
  throw new Error(`${argv.join(" ")} ended with exit code ${exitCode}: ${stderr.toString().trim()}`);
}

/** What keeps the repository from being released; undefined when nothing does. */
function repositoryProblem(tag: string): string | undefined {
  const branch = run(["git", "rev-parse", "--abbrev-ref", "HEAD"]);
  if (branch !== "main") return `the branch is ${branch}: a release is made on main`;
  const changed = run(["git", "status", "--porcelain"]);
  if (changed !== "") return `the tree is not clean: commit or stash first:\n${changed}`;
  return run(["git", "tag", "--list", tag]) === "" ? undefined : `there is a tag ${tag} already`;
}

/** Builds what is released. Its own script looks at the version that the binary says. */
function build(): void {
  run([process.execPath, "install", "--frozen-lockfile"]);
  run([process.execPath, "run", ".ci/build-all.ts"]);
}

/** What is asked for. Ends the release for words that ask for nothing. */
function wanted(): { version: string; mode: "dry-run" | "cut" | "release" } {
  const { values, positionals } = parseArgs({
    options: { "dry-run": { type: "boolean", default: false }, cut: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [version, ...more] = positionals;
  if (version === undefined || more.length > 0 || (values["dry-run"] && values.cut)) fail(usage);
  return { version, mode: values["dry-run"] ? "dry-run" : values.cut ? "cut" : "release" };
}

function main(): void {
  const { version, mode } = wanted();
  if (!existsSync(changelogPath)) fail(`${changelogPath}: no such file: call it in the repository`);
  const tag = `v${version}`;
  const before = {
    changelog: readFileSync(changelogPath, "utf8"),
    manifest: readFileSync(packagePath, "utf8"),
  };
  const problem =
    versionProblem(version, String(JSON.parse(before.manifest).version)) ??
    (mode === "cut" ? undefined : repositoryProblem(tag));
  if (problem !== undefined) fail(problem);
  const cut = cutChangelog(before.changelog, version, new Date().toISOString().slice(0, 10));
  if ("problem" in cut) fail(`CHANGELOG.md: ${cut.problem}`);
  if (mode === "dry-run") {
    sayPlan(version, tag, cut.notes);
    return;
  }
  const manifest = before.manifest.replace(/("version": )"[^"]*"/, `$1"${version}"`);
  writeFileSync(changelogPath, cut.text);
  writeFileSync(packagePath, manifest);
  if (mode === "cut") {
    say(`CHANGELOG.md and package.json are those of ${version}`);
    return;
  }
  const head = run(["git", "rev-parse", "HEAD"]);
  if (cut.text !== before.changelog || manifest !== before.manifest) {
    run(["git", "commit", "--quiet", "-m", `xfer ${version}`, "--", "CHANGELOG.md", "package.json"]);
  }
  try {
    // After the commit, which the binary names.
    build();
  } catch (error) {
    // There is no version of what does not build. The tree was clean.
    run(["git", "reset", "--quiet", "--hard", head]);
    fail(`${error instanceof Error ? error.message : String(error)}: nothing was released`);
  }
  run(["git", "tag", "--annotate", "--cleanup=verbatim", tag, "-m", `xfer ${version}\n\n${cut.notes}`]);
  say(`tagged ${tag}; dist/release has binaries, man pages, SBOM and SHA256SUMS; nothing was pushed:`);
  say("  git push --follow-tags");
}

function sayPlan(version: string, tag: string, notes: string): void {
  say(`would cut Unreleased in CHANGELOG.md into ${version}:`);
  say(notes.replace(/^(?=.)/gm, "    "));
  say(`would set the version in package.json to ${version}`);
  say("would commit CHANGELOG.md and package.json");
  say("would build dist/release: a binary for each target, man pages and completions, SBOM, SHA256SUMS");
  say(`would tag ${tag}`);
  say("would push nothing");
}

try {
  main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
