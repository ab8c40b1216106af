import { existsSync } from "node:fs";

/** One thing that tests need: found when any of `anyOf` exists; `package` is Debian's name for what brings it. */
export interface Need {
  package: string;
  anyOf: string[];
}

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function program(packageName: string, name: string): Need {
  return { package: packageName, anyOf: SEARCH_PATH.split(":").map((dir) => `${dir}/${name}`) };
}

export function files(packageName: string, ...paths: string[]): Need {
  return { package: packageName, anyOf: paths };
}

const rcloneNeeds: readonly Need[] = [program("rclone", "rclone")];

/** Those of the needs that no path satisfies. */
function missingOf(needs: readonly Need[]): Need[] {
  return needs.filter((need) => !need.anyOf.some((path) => existsSync(path)));
}

/** One line that names what is missing, where it was looked for and what brings it. */
function describeMissing(missing: readonly Need[]): string {
  const items = missing.map((need) => {
    const first = need.anyOf[0] ?? "";
    const name = first.slice(first.lastIndexOf("/") + 1);
    return `${name} (package ${need.package}; looked for ${need.anyOf.join(", ")})`;
  });
  return `missing: ${items.join("; ")}`;
}

/** Of the tests that run side by side, one uses apt-get at a time. */
const aptLock = "/tmp/xfer-test-apt.lock";

/** Runs apt-get to its end; throws with the end of what it printed when that is not 0. */
export async function aptGet(args: string[], cwd = "/"): Promise<void> {
  const child = Bun.spawn(["flock", aptLock, "apt-get", ...args], {
    cwd,
    env: { ...Bun.env, PATH: SEARCH_PATH, DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  if (code !== 0)
    throw new Error(`apt-get ${args.join(" ")} ended with ${code}:\n${(out + err).slice(-2000)}`);
}

/**
 * Makes sure that programs and files are there: on Debian as root it installs the missing packages; elsewhere, or when
 * that does not help, it throws an Error of one line that says what is missing and where it was looked for.
 */
export async function ensurePackages(needs: readonly Need[]): Promise<void> {
  const missing = missingOf(needs);
  if (missing.length === 0) return;
  const canInstall =
    existsSync("/etc/debian_version") && process.getuid?.() === 0 && Bun.which("apt-get") !== null;
  if (!canInstall) throw new Error(`${describeMissing(missing)}; install them, or run as root on Debian`);
  const packages = [...new Set(missing.map((need) => need.package))];
  process.stderr.write(`installing ${packages.join(", ")} with apt-get\n`);
  await aptGet(["update", "-q"]);
  await aptGet(["install", "-q", "-y", "--no-install-recommends", ...packages]);
  const still = missingOf(needs);
  if (still.length > 0)
    throw new Error(`${describeMissing(still)}, even after apt-get install ${packages.join(" ")}`);
}

/** Where the program of that name is, as `program` looks for it. */
export function findProgram(name: string): string | undefined {
  return program("", name).anyOf.find((path) => existsSync(path));
}

/** Makes sure that rclone is there, as `ensurePackages` does. */
export function ensureRclone(): Promise<void> {
  return ensurePackages(rcloneNeeds);
}
