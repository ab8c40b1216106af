import { createHash } from "node:crypto";
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
import { join } from "node:path";
import { compile, root, type Target, targets, versionOf } from "./compile.ts";
import { type Bundled, bundledFolders, sbomOf } from "./sbom.ts";

/**
 * `bun run build:all`: makes dist/release, all that a release has: a binary for each target, man pages, completions and
 * licenses as they lie below a prefix, a bill of materials, and SHA256SUMS. The same commit gives the same bytes.
 */

const folder = join(root, "dist", "release");
const own = join(root, "dist", "xfer");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const version: string = manifest.version;

/** Runs a program to its end and gives what it printed. Throws when it fails. */
function run(argv: readonly string[], cwd = root): string {
  const { success, exitCode, stdout, stderr } = Bun.spawnSync([...argv], { cwd });
  if (success) return stdout.toString();
  throw new Error(`${argv.join(" ")} ended with exit code ${exitCode}: ${stderr.toString().trim()}`);
}

const sha256Of = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** When the commit was made, in seconds; undefined outside of a repository. */
function commitSeconds(): number | undefined {
  if (Bun.which("git") === null) return undefined;
  const asked = Bun.spawnSync(["git", "show", "--no-patch", "--format=%ct", "HEAD"], { cwd: root });
  return asked.success ? Number(asked.stdout.toString()) : undefined;
}

/** Builds a binary for each target, and dist/xfer. Returns what the bundler put into them. */
function buildBinaries(): string[] {
  const metafile = join(mkdtempSync(join(tmpdir(), "xfer-build-")), "meta.json");
  compile({ outfile: own, metafile });
  const said = versionOf(own);
  if (said !== version) throw new Error(`dist/xfer says that it is ${said}, not ${version}`);
  const { inputs } = JSON.parse(readFileSync(metafile, "utf8"));
  rmSync(join(metafile, ".."), { recursive: true });
  for (const target of Object.keys(targets) as Target[]) {
    const outfile = join(folder, `xfer-${version}-${target}`);
    compile({ outfile, target });
    if (target === `${process.platform}-${process.arch}`) versionOf(outfile);
    process.stderr.write(`dist/release/xfer-${version}-${target}\n`);
  }
  return Object.keys(inputs);
}

/** Man pages, completions and licenses, in the folders where they are looked for below a prefix such as ~/.local. */
function packShare(inputs: readonly string[], seconds: number): void {
  const stage = mkdtempSync(join(tmpdir(), "xfer-share-"));
  try {
    const place = (path: string) => {
      mkdirSync(join(stage, "share", path), { recursive: true });
      return join(stage, "share", path);
    };
    run([own, "man", "--out", place("man/man1")]);
    const completions = {
      bash: join(place("bash-completion/completions"), "xfer"),
      zsh: join(place("zsh/site-functions"), "_xfer"),
      fish: join(place("fish/vendor_completions.d"), "xfer.fish"),
    };
    for (const [shell, path] of Object.entries(completions)) {
      writeFileSync(path, run([own, "completion", shell]));
    }
    copyFileSync(join(root, "LICENSE"), join(place("doc/xfer"), "LICENSE"));
    for (const path of bundledFolders(inputs)) {
      const name = path.replace(/^.*node_modules\//, "").replace("/", "-");
      copyFileSync(licenseOf(path), join(place("doc/xfer/licenses"), name));
    }
    const same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${seconds}`];
    const modes = "--mode=u=rwX,go=rX";
    run(["tar", ...same, modes, "-czf", join(folder, `xfer-${version}-share.tar.gz`), "share"], stage);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** The license that a package asks to go along with its code. */
function licenseOf(folder: string): string {
  const path = join(root, folder);
  const name = readdirSync(path).find((file) => /^licen[cs]e(?:\.|$)/i.test(file));
  if (name === undefined) throw new Error(`${folder}: has no file with its license`);
  return join(path, name);
}

/** The packages that the bundler read from, by their own files and the lock. */
function bundledPackages(inputs: readonly string[]): Bundled[] {
  // bun.lock is JSON but for the commas behind the last one of a list.
  const lock = JSON.parse(readFileSync(join(root, "bun.lock"), "utf8").replace(/,(?=\s*[}\]])/g, ""));
  const locked = Object.values(lock.packages) as [string, ...unknown[]][];
  return bundledFolders(inputs).map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
    const entry = locked.find(([id]) => id === `${name}@${version}`);
    if (entry === undefined) throw new Error(`${path}: bun.lock has no ${name}@${version}`);
    return { name, version, license, integrity: String(entry.at(-1)) };
  });
}

function writeSbom(inputs: readonly string[], seconds: number | undefined): void {
  const binaries = Object.keys(targets).map((target) => {
    const name = `xfer-${version}-${target}`;
    return { name, sha256: sha256Of(join(folder, name)) };
  });
  const sbom = sbomOf({
    version,
    license: manifest.license,
    date: seconds === undefined ? undefined : new Date(seconds * 1000).toISOString(),
    bun: Bun.version,
    packages: bundledPackages(inputs),
    binaries,
  });
  writeFileSync(join(folder, `xfer-${version}.cdx.json`), `${JSON.stringify(sbom, null, 2)}\n`);
}

try {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const seconds = commitSeconds();
  const inputs = buildBinaries();
  packShare(inputs, seconds ?? 0);
  writeSbom(inputs, seconds);
  const lines = readdirSync(folder)
    .sort()
    .map((name) => `${sha256Of(join(folder, name))}  ${name}\n`);
  writeFileSync(join(folder, "SHA256SUMS"), lines.join(""));
  process.stderr.write(lines.join(""));
} catch (error) {
  process.stderr.write(`build:all: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
