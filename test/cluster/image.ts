import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What a container of a test finds inside: a shell, rclone and the everyday tools. */
const PROGRAMS =
  "sh bash rclone env cat sleep id ls mkdir rm cp mv touch true false echo printf test head tail date dd stat wc sort tr pwd uname hostname kill grep sed seq tee find";

function runTool(argv: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv, { stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}: ${stderr.toString().slice(-2000)}`);
  return stdout.toString();
}

function findProgram(name: string, path: string): string {
  const found = Bun.which(name, { PATH: path });
  if (found === null) throw new Error(`no ${name} for the container image; looked in ${path}`);
  return found;
}

/** The shared libraries that ldd names for `programs`, as absolute paths. */
function librariesOf(programs: string[]): string[] {
  const lines = runTool(["ldd", ...programs]).split("\n");
  const found = lines.map((line) => /^\s+(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1]);
  return [...new Set(found.filter((path) => path !== undefined))];
}

/**
 * Builds the root filesystem of a test container in `dir` from this host's own programs. Like the rclone image
 * it has /config and /data, and sets XDG_CONFIG_HOME.
 */
export function buildImageDir(dir: string, path: string): void {
  for (const part of [
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "usr/lib64",
    "etc",
    "proc",
    "sys",
    "dev",
    "tmp",
    "root",
    "config",
    "data",
  ])
    mkdirSync(`${dir}/${part}`, { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, `${dir}/${name}`);
  const programs = PROGRAMS.split(" ").map((name) => findProgram(name, path));
  const libraries = librariesOf(programs);
  const libc = libraries.find((file) => file.endsWith("/libc.so.6"));
  if (libc === undefined) throw new Error(`ldd names no libc.so.6 among ${libraries.join(" ")}`);
  // glibc opens these by name when a program looks up a user or a host.
  const lookups = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"].map((name) =>
    libc.replace("libc.so.6", name),
  );
  // cp --parents makes directories, so it must not meet the links /bin and /lib on its way.
  const files = [...programs, ...libraries, ...lookups].map((file) =>
    join(realpathSync(dirname(file)), basename(file)),
  );
  runTool(["cp", "-L", "--parents", ...new Set(files), dir]);
  runTool(["cp", "-rL", "--parents", "/etc/ssl/certs", dir]);
  const etc = {
    passwd: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    group: "root:x:0:\nnogroup:x:65534:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    environment: "XDG_CONFIG_HOME=/config\n",
  };
  for (const [name, text] of Object.entries(etc)) writeFileSync(`${dir}/etc/${name}`, text);
}

/** Packs the root filesystem `dir` into the squashfs file `target`; stored, not compressed, as that is quickest. */
export function packImage(dir: string, target: string): void {
  runTool([
    "mksquashfs",
    dir,
    target,
    "-noappend",
    "-no-progress",
    "-all-root",
    "-noI",
    "-noD",
    "-noF",
    "-noX",
  ]);
}
