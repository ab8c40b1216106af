import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ArchiveSource, sourcesIn } from "./apt-sources.ts";
import { aptGet, ensureRclone, findProgram } from "./packages.ts";

/** An rclone that tests run against: `dir` holds it under the name `rclone`, for the head of PATH. */
export interface TestRclone {
  name: "debian" | "current";
  path: string;
  dir: string;
  version: string;
}

/** Git ignores node_modules, so a fresh clone downloads once and later runs find it. */
const cacheDir = join(import.meta.dir, "..", "..", "node_modules", ".cache", "xfer-tests");
const currentDir = join(cacheDir, "rclone-current");

let found: Promise<TestRclone[]> | undefined;

/**
 * The two rclones of the tests: the one of this Debian, and a current one out of Debian's newest suite, which needs
 * only libc. What is missing is installed; what cannot be is an Error of one line.
 */
export function rclones(): Promise<TestRclone[]> {
  found ??= findBoth();
  return found;
}

async function findBoth(): Promise<TestRclone[]> {
  await ensureRclone();
  if (!existsSync(join(currentDir, "rclone"))) await downloadCurrent();
  const debian = findProgram("rclone");
  if (debian === undefined) throw new Error("rclone was installed and is not on the search path");
  const both = [
    { name: "debian" as const, path: debian },
    { name: "current" as const, path: join(currentDir, "rclone") },
  ];
  return both.map((one) => ({ ...one, dir: dirname(one.path), version: versionOf(one.path) }));
}

function versionOf(path: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([path, "version"], { env: {} });
  const version = /^rclone v(\S+)/.exec(stdout.toString())?.[1];
  if (exitCode !== 0 || version === undefined)
    throw new Error(`${path} does not run here: ${stderr.toString().trim().split("\n")[0] ?? ""}`);
  return version;
}

/** Takes the package out of suite `sid` of the archive that this machine installs from, and only its binary. */
async function downloadCurrent(): Promise<void> {
  mkdirSync(cacheDir, { recursive: true });
  const work = mkdtempSync(join(cacheDir, "download-"));
  try {
    process.stderr.write("downloading a current rclone out of Debian's newest suite\n");
    await writeFile(join(work, "sid.list"), `${sidLine(debianArchive())}\n`);
    mkdirSync(join(work, "cache", "archives", "partial"), { recursive: true });
    mkdirSync(join(work, "lists", "partial"), { recursive: true });
    const only = [
      ["Dir::Etc::sourcelist", join(work, "sid.list")],
      ["Dir::Etc::sourceparts", "-"],
      ["Dir::State::lists", join(work, "lists")],
      ["Dir::Cache", join(work, "cache")],
      ["APT::Sandbox::User", "root"],
    ].flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    await aptGet([...only, "-q", "update"], work);
    await aptGet([...only, "-q", "download", "rclone"], work);
    const packed = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (packed === undefined) throw new Error("apt-get download rclone left no package");
    const unpacked = Bun.spawnSync(["dpkg-deb", "-x", join(work, packed), join(work, "x")]);
    if (unpacked.exitCode !== 0) throw new Error(unpacked.stderr.toString().trim());
    versionOf(join(work, "x", "usr", "bin", "rclone"));
    // Another process may have finished the same download first: its binary is as good.
    if (!existsSync(currentDir)) renameSync(join(work, "x", "usr", "bin"), currentDir);
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, "; ");
    throw new Error(`no current rclone for the tests: ${why} (or put one at ${join(currentDir, "rclone")})`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where this machine takes Debian's own packages from. */
function debianArchive(): ArchiveSource {
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  const places = ["/etc/apt/sources.list"];
  const parts = "/etc/apt/sources.list.d";
  if (existsSync(parts)) places.push(...readdirSync(parts).map((name) => join(parts, name)));
  const texts = places
    .filter((path) => /\.(list|sources)$/.test(path) && existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, "utf8") }));
  const source = texts
    .flatMap(({ path, text }) => sourcesIn(text, path.endsWith(".sources") ? "deb822" : "one-line"))
    .find(({ suites, components }) => suites.includes(codename) && components.includes("main"));
  if (source === undefined)
    throw new Error(`no apt source of this machine has suite ${codename || "?"}, component main`);
  return source;
}

function sidLine({ uri, signedBy }: ArchiveSource): string {
  return `deb ${signedBy === undefined ? "" : `[signed-by=${signedBy}] `}${uri} sid main`;
}
