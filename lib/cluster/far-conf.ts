import { isPrivateMode } from "../rclone/conf-mode.ts";
import { operationFailed } from "../system/errors.ts";
import { quoteWord } from "../system/shell-words.ts";
import type { FarEnd } from "./far-end.ts";
import { farWord } from "./probe.ts";
import type { Profile } from "./profile.ts";

/** What is known of an rclone.conf at a cluster, without a word of what its options say. */
export interface FarConf {
  /** As the profile or rclone names it, with the home there in place of ~. */
  path: string;
  state: "there" | "missing" | "unreadable" | "encrypted";
  /** In octal. */
  mode: string | undefined;
  remotes: string[];
  /** Tells whether the file is still the same; "none" where there is none. */
  sum: string;
}

/** A line of a shell's script that sets `f` to the rclone.conf of a profile, or to rclone's own. */
export function confVariable({ rclone_config }: Pick<Profile, "rclone_config">): string {
  if (rclone_config !== undefined) return `f=${farWord(rclone_config)}`;
  const own = `f="\${XDG_CONFIG_HOME:-$HOME/.config}/rclone/rclone.conf"`;
  return `${own}; if [ ! -e "$f" ] && [ -e "$HOME/.rclone.conf" ]; then f="$HOME/.rclone.conf"; fi`;
}

/** The first line that is no comment tells an encrypted file; of all other lines only headers are printed. */
const look = `printf '%s\\n' "$f"
if [ ! -e "$f" ]; then echo missing; exit 0; fi
stat -L -c %a "$f" 2>/dev/null || stat -L -f %Lp "$f" || echo unknown
if [ ! -r "$f" ]; then echo unreadable; exit 0; fi
if grep -v '^[[:space:]]*[#;]' "$f" | grep -v '^[[:space:]]*$' | head -n 1 | grep -q RCLONE_ENCRYPT_; then echo encrypted; exit 0; fi
echo there
cksum < "$f"
tr -d '\\r' < "$f" | sed -n 's/^[[:space:]]*\\[\\(.*\\)\\][[:space:]]*$/\\1/p'`;

/** Looks at the rclone.conf of a profile. Only the names of its sections leave the cluster. */
export async function lookAtConf(end: FarEnd, profile: Profile, stop: AbortSignal): Promise<FarConf> {
  const { code, stdout, stderr } = await end.run(`${confVariable(profile)}\n${look}`, { stop });
  if (code !== 0)
    throw operationFailed(`${end.host}: rclone.conf: ${stderr.trim().split("\n").at(-1) ?? ""}`);
  return parseLook(stdout);
}

/** Reads what the look prints. */
export function parseLook(text: string): FarConf {
  const [path = "", second = "", third, sum = "", ...names] = text.replace(/\n$/, "").split("\n");
  if (second === "missing") return { path, state: "missing", mode: undefined, remotes: [], sum: "none" };
  const state = third === "encrypted" || third === "unreadable" ? third : "there";
  const mode = second.padStart(4, "0");
  const remotes = [...new Set(names.map((name) => name.trim()).filter((name) => name !== ""))];
  return { path, state, mode, remotes, sum };
}

/** What is wrong with an rclone.conf, with the mend; undefined when a run can have it. */
export function confProblem(end: { host: string }, { path, state, mode }: FarConf): string | undefined {
  const file = `${end.host}:${path}`;
  if (state === "missing") return `${file}: no such file: xfer rclone-config deploy sends remotes there`;
  if (state === "unreadable") return `${file}: may not be read by this user`;
  const open = openProblem(end, { path, mode });
  if (open !== undefined) return open;
  if (state === "encrypted") {
    return `${file} is encrypted, and the array's tasks would not have its password: remove the password there (rclone config)`;
  }
  return undefined;
}

/** That others can read an rclone.conf, with the mend; undefined when they cannot, or there is none. */
export function openProblem(
  { host }: { host: string },
  { path, mode }: Pick<FarConf, "path" | "mode">,
): string | undefined {
  if (mode === undefined || isPrivateMode(mode)) return undefined;
  return `${host}:${path}: others can read it (mode ${mode}), and it holds credentials: chmod 600 ${quoteWord(path)} there`;
}

/** Prints a conf without some sections; comments right before the next header belong to that one. */
const withoutSections = `awk '
BEGIN { n = split(ENVIRON["XFER_DROP"], names, "\\n"); for (i = 1; i <= n; i++) drop[names[i]] = 1 }
{ line = $0; gsub(/^[ \\t\\r]+|[ \\t\\r]+$/, "", line) }
line ~ /^\\[.*\\]$/ {
  name = substr(line, 2, length(line) - 2); gsub(/^[ \\t]+|[ \\t]+$/, "", name)
  if (skip) printf "%s", held
  held = ""; skip = (name in drop)
}
skip && line ~ /^[#;]/ { held = held $0 "\\n"; next }
skip && line == "" { if (held != "") held = held $0 "\\n"; next }
skip { held = ""; next }
{ print }
END { if (skip) printf "%s", held }'`;

/** What the script ends with when less arrived than was sent, and when the file was changed meanwhile. */
const [cutShort, changedMeanwhile] = [97, 98];

/**
 * Adds sections to the rclone.conf of a profile, in place of those of the same names. They go through stdin alone: no
 * argument, file of others' sight or message holds them. The file is replaced whole, by one that nobody else could read at
 * any time, or not at all: not when it is another one (`sum`) than was looked at.
 */
export async function addSections(
  end: FarEnd,
  profile: Profile,
  { text, names, sum, stop }: { text: string; names: readonly string[]; sum: string; stop: AbortSignal },
): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const script = [
    "umask 077",
    confVariable(profile),
    // A link stays one: what it leads to is replaced.
    'if [ -h "$f" ]; then f=$(readlink -f "$f") || exit 1; fi',
    'mkdir -p "$(dirname "$f")" || exit 1',
    't="$f.xfer.$$"; rm -f "$t" "$t.new"',
    `trap 'rm -f "$t" "$t.new"' EXIT`,
    "set -C",
    '(: > "$t") && cat > "$t.new" || exit 1',
    `if [ "$(wc -c < "$t.new")" -ne ${bytes.length} ]; then exit ${cutShort}; fi`,
    `export XFER_DROP=${quoteWord(names.join("\n"))}`,
    `if [ -s "$f" ]; then ${withoutSections} "$f" >> "$t" || exit 1; fi`,
    '[ -z "$(tail -n 1 "$t")" ] || echo >> "$t" || exit 1',
    'cat "$t.new" >> "$t" || exit 1',
    'now=none; if [ -e "$f" ]; then now=$(cksum < "$f") || exit 1; fi',
    `if [ "$now" != ${quoteWord(sum)} ]; then exit ${changedMeanwhile}; fi`,
    'chmod 600 "$t" && mv -f "$t" "$f"',
  ].join("\n");
  const input = (async function* () {
    yield bytes;
  })();
  const { code, stderr } = await end.run(script, { input, stop });
  if (code === 0) return;
  const why =
    code === cutShort
      ? "the connection was lost before all of it arrived"
      : code === changedMeanwhile
        ? "somebody changed it meanwhile"
        : (stderr.trim().split("\n").at(-1) ?? "");
  throw operationFailed(`${end.host}: rclone.conf is as it was: ${why}`);
}
