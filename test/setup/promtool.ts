import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { aptGet, findProgram } from "./packages.ts";

/** Git ignores node_modules, so a fresh clone downloads once and later runs find it. */
const cacheDir = join(import.meta.dir, "..", "..", "node_modules", ".cache", "xfer-tests");
const cached = join(cacheDir, "promtool");

/**
 * The path of promtool, Prometheus' own checker of its text format. It is taken out of Debian's package of Prometheus, which is
 * not installed: installing it starts a server.
 */
async function promtool(): Promise<string> {
  const found = findProgram("promtool");
  if (found !== undefined) return found;
  if (!existsSync(cached)) await download();
  return cached;
}

async function download(): Promise<void> {
  mkdirSync(cacheDir, { recursive: true });
  const work = mkdtempSync(join(cacheDir, "promtool-"));
  try {
    process.stderr.write("downloading promtool\n");
    await aptGet(["-q", "update"]);
    await aptGet(["-q", "-o", "APT::Sandbox::User=root", "download", "prometheus"], work);
    const packed = readdirSync(work).find((name) => name.endsWith(".deb"));
    if (packed === undefined) throw new Error("apt-get download prometheus left no package");
    const unpacked = Bun.spawnSync(["dpkg-deb", "-x", join(work, packed), join(work, "x")]);
    if (unpacked.exitCode !== 0) throw new Error(unpacked.stderr.toString().trim());
    renameSync(join(work, "x", "usr", "bin", "promtool"), cached);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What promtool says of a text of metrics: nothing when it is right and keeps the conventions. */
export async function promtoolSays(text: string): Promise<string> {
  const child = Bun.spawn([await promtool(), "check", "metrics"], {
    stdin: Buffer.from(text),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, said] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return code === 0 ? `${out}${said}` : `exit code ${code}: ${out}${said}`;
}
