import { configFlags, lsjsonArgv } from "../rclone/argv.ts";
import { inquiryFlags } from "../rclone/inquiry.ts";
import { parseRoot } from "../rclone/remote-options.ts";
import { joinRoot } from "../rclone/root.ts";
import { quoteWord, quoteWords } from "../system/shell-words.ts";

/** The places that a doctor tries; undefined where none is named. */
export interface TriedPlaces {
  source: string | undefined;
  dest: string | undefined;
  /** The key of an object that is put to the destination, read back and deleted; undefined puts nothing. */
  probeKey: string | undefined;
  /** Flags of rclone's that say how the places are reached. */
  placeFlags: readonly string[];
}

/** What a node is looked at for, outside of any container. */
export interface NodeLook {
  /** The rclone.conf and the binary as absolute paths; undefined where none is named. */
  configPath: string | undefined;
  binary: string | undefined;
  runDir: string | undefined;
}

/** How long a listing may take for its first page, in seconds. */
const listSeconds = 20;

/** What a probe object holds. */
export const probeText = "xfer doctor: a probe that may be deleted";

const isPath = (root: string): boolean => parseRoot(root).form === "posix";

/** A script that looks at the node on which it runs, and writes nothing. Its sections are what `doctor-read.ts` reads. */
export function nodeScript({ configPath, binary, runDir }: NodeLook): string {
  const lines = [
    "echo '== node'",
    `echo "\${SLURMD_NODENAME:-$(hostname)}"`,
    "echo '== glibc'",
    "getconf GNU_LIBC_VERSION 2>/dev/null",
    "echo '== date'",
    "date +%s",
  ];
  if (configPath !== undefined) {
    lines.push(
      "echo '== conf'",
      `f=${quoteWord(configPath)}`,
      `if [ ! -e "$f" ]; then echo missing; elif [ ! -r "$f" ]; then echo unreadable; else stat -L -c %a "$f"; fi`,
    );
  }
  if (runDir !== undefined) {
    lines.push(
      "echo '== folder'",
      `d=${quoteWord(runDir)}`,
      `if [ ! -d "$d" ]; then echo missing; elif [ -w "$d" ] && [ -x "$d" ]; then echo writable; else echo shut; fi`,
    );
  }
  if (binary !== undefined) {
    lines.push("echo '== binary'", `${quoteWord(binary)} --version 2>&1`, 'echo "code $?"');
  }
  return lines.join("\n");
}

/** A script that looks at those of the places that are paths. It writes a probe alone, and removes it. */
export function pathScript({ source, dest, probeKey }: TriedPlaces): string {
  const lines: string[] = [];
  if (source !== undefined && isPath(source)) {
    lines.push(
      "echo '== source'",
      `d=${quoteWord(source)}`,
      `if [ ! -d "$d" ]; then echo absent; elif [ ! -r "$d" ] || [ ! -x "$d" ]; then echo unreadable`,
      `elif [ "$(find -L "$d" -type f -print 2>/dev/null | head -c 1 | wc -c)" -gt 0 ]; then echo objects; else echo empty; fi`,
    );
  }
  if (dest !== undefined && isPath(dest)) {
    lines.push(
      "echo '== dest'",
      `d=${quoteWord(dest)}`,
      // A copy makes the folder where the first that is there lets it.
      `if [ -d "$d" ]; then echo objects; else echo absent; fi`,
      `while [ ! -d "$d" ]; do d=$(dirname "$d"); done`,
      `if [ ! -w "$d" ] || [ ! -x "$d" ]; then echo shut; fi`,
    );
    if (probeKey !== undefined) {
      lines.push(
        `p="$d"/${quoteWord(probeKey)}`,
        ...probing(
          `sh -c 'exec cat > "$0"' "$p"`,
          'cat "$p"',
          'rm "$p"',
          'if [ -w "$d" ] && [ ! -e "$p" ]; then\n',
          "\nfi",
        ),
      );
    }
  }
  return lines.join("\n");
}

/**
 * A script that asks rclone for its version and for those of the places that rclone reaches. `configPath` is rclone.conf as
 * rclone sees it.
 */
export function rcloneScript(places: TriedPlaces, configPath: string | undefined): string {
  const { source, dest, probeKey } = places;
  const flags = [...places.placeFlags, ...inquiryFlags];
  const listing = (root: string) =>
    quoteWords(
      lsjsonArgv({
        ...{
          root,
          configPath,
          filesOnly: true,
          modtime: "none",
          hash: false,
          verbosity: 0,
          extraFlags: flags,
        },
        // A recursive listing is printed a page at a time: the first will do, however many objects there are.
        ...{ recursive: true, fastList: true },
      }),
    );
  // Where nothing answers, rclone repeats its requests for minutes whatever its flags say.
  const look = (root: string) => [
    `out=$( { ${listing(root)} & p=$!; (sleep ${listSeconds}; kill "$p") >/dev/null 2>&1 & w=$!`,
    `wait "$p"; c=$?; kill "$w" 2>/dev/null; echo "code $c"; } 2>&1 | head -c 16384 )`,
    `printf '%s\\n' "$out"`,
  ];
  const lines = ["echo '== rclone'", "rclone version 2>&1 | head -n 5"];
  if (source !== undefined && !isPath(source)) lines.push("echo '== source'", ...look(source));
  if (dest !== undefined && !isPath(dest)) {
    lines.push("echo '== dest'", ...look(dest));
    if (probeKey !== undefined) {
      // No bucket is made for a probe.
      const more = [...configFlags(configPath), ...flags, "--s3-no-check-bucket"];
      const rclone = (command: string) => `${quoteWords(["rclone", command, ...more])} "$p"`;
      const before = `case "$out" in *'{"Path":'*|*'code 0'*)\n`;
      lines.push(
        `p=${quoteWord(joinRoot(dest, probeKey))}`,
        ...probing(rclone("rcat"), rclone("cat"), rclone("deletefile"), before, ""),
        "echo '== versioning'",
        `${quoteWords(["rclone", "backend", "versioning", ...more, dest])} 2>/dev/null`,
        ";; esac",
      );
    }
  }
  return lines.join("\n");
}

/**
 * The commands that put, read and remove the probe, which goes also where one of them fails or a signal ends all. Each runs
 * beside the shell, which waits: only then does a trap act at once.
 */
function probing(put: string, read: string, remove: string, before: string, after: string): string[] {
  return [
    `${before}gone() { ${remove} 2>&1; }`,
    "leave() {",
    // Slurm signals all processes of a step, and more than once.
    "trap '' HUP INT TERM USR1",
    'kill "$j" 2>/dev/null; wait "$j" 2>/dev/null',
    "gone >/dev/null || gone >/dev/null",
    "exit 1",
    "}",
    "trap leave HUP INT TERM USR1",
    "echo '== put'",
    `${put} 2>&1 <<'XFER' &`,
    probeText,
    "XFER",
    'j=$!; wait "$j"; echo "code $?"',
    "echo '== read'",
    `${read} 2>&1 &`,
    'j=$!; wait "$j"; c=$?; echo; echo "code $c"',
    "echo '== remove'",
    "said=$(gone) || said=$(gone)",
    'c=$?; printf "%s\\n" "$said"; echo "code $c"',
    `trap - HUP INT TERM USR1${after}`,
  ];
}
