import { operationFailed } from "../system/errors.ts";
import { sectionsOf } from "../system/sections.ts";
import { quoteWords } from "../system/shell-words.ts";
import type { FarEnd } from "./far-end.ts";
import { farWord } from "./probe.ts";
import type { Profile } from "./profile.ts";

/** A binary of xfer's at a cluster, or what has arrived of one. */
export interface FarBinary {
  name: string;
  bytes: number;
  /** Why it stays; undefined for one that may be removed. */
  keep: "this version" | "a run uses it" | "a command uses it" | undefined;
}

/** What is found below a run root. */
interface Found {
  binaries: { name: string; bytes: number }[];
  /** The names of binaries that run directories point at, by their place or by the user's jobs. */
  ofRuns: string[];
  /** Those that commands which were handed over, or processes of the login node, have in their words. */
  ofCommands: string[];
}

/** The names that a binary has, and that it has with more behind it while it arrives. No other file is ever removed. */
const wholeName = /^xfer-[\w.+-]+-[0-9a-f]{12}$/;
const ownName = /^xfer-[\w.+-]+-[0-9a-f]{12}(?:\.part|\.\d+)?$/;

/** Words of find(1) for the folders of a run directory that have many files: none is looked for there. */
const large =
  `-type d \\( -name state -o -name logs -o -name shards \\) ` +
  `-exec sh -c 'test -f "$1/../config.resolved.json"' sh {} \\; -prune`;

/** The parts of an upload that is still under way are younger than a day. */
const script = (runRoot: string) => `cd ${farWord(runRoot)} 2> /dev/null || exit 0
echo '== binaries'
for f in .xfer/bin/xfer-*; do
  case $f in *-????????????.*) [ -n "$(find "$f" -mtime +0)" ] || continue;; esac
  if [ -f "$f" ]; then echo "$(wc -c < "$f") \${f##*/}"; fi
done
echo '== runs'
find . -name .xfer -prune -o ${large} -o -type f -name agent-path -exec sed -n 1p {} \\; || {
  echo '== silent'; exit 0
}
echo '== jobs'
if command -v squeue > /dev/null 2>&1; then
  dirs=$(squeue --noheader --user "$(id -un)" --format %Z) || { echo '== silent'; exit 0; }
  printf '%s\\n' "$dirs" | sort -u | while IFS= read -r d; do
    if [ -f "$d/bin/agent-path" ]; then sed -n 1p "$d/bin/agent-path"; fi
  done
fi
echo '== commands'
for s in .xfer/sessions/*/session.json; do if [ -f "$s" ]; then cat "$s"; fi; done
ps -eo args 2> /dev/null | grep -F /.xfer/bin/xfer- || :
echo '== end'`;

/** Looks which binaries lie below a run root, and what uses them. */
export async function lookAtBinaries(
  end: FarEnd,
  { run_root }: Pick<Profile, "run_root">,
  { version, stop }: { version: string; stop: AbortSignal },
): Promise<FarBinary[]> {
  const { stdout, stderr } = await end.run(script(run_root), { stop });
  const found = parseBinaries(stdout);
  if (found === "incomplete") {
    throw operationFailed(
      `${end.host}: nothing is removed, since it is not known what is used: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    );
  }
  return judgeBinaries(found, version);
}

/** Reads what the script prints; "incomplete" when it could not tell all that uses binaries. */
export function parseBinaries(text: string): Found | "incomplete" {
  if (text.trim() === "") return { binaries: [], ofRuns: [], ofCommands: [] };
  const sections = sectionsOf(text);
  if (!sections.has("end")) return "incomplete";
  const lines = (name: string) => sections.get(name) ?? [];
  const namesIn = (some: readonly string[]) =>
    some.flatMap((line) => [...line.matchAll(/\bxfer-[\w.+-]+-[0-9a-f]{12}\b/g)].map(([name]) => name));
  return {
    binaries: lines("binaries").flatMap((line) => {
      const [, bytes, name] = /^(\d+) (.+)$/.exec(line) ?? [];
      return name !== undefined && ownName.test(name) ? [{ name, bytes: Number(bytes) }] : [];
    }),
    ofRuns: namesIn([...lines("runs"), ...lines("jobs")]),
    ofCommands: namesIn(lines("commands")),
  };
}

/**
 * Which binaries stay, and why. A run root may be reached by several paths: their names, which hold a digest, are compared.
 *
 * | binary | stays |
 * |---|---|
 * | of this xfer's version | yes: the next command needs it |
 * | that a run directory below the run root points at, or one of the user's jobs | yes |
 * | in the words of a session or of a process of the login node | yes |
 * | any other, and what has arrived of an upload that was given up | no |
 */
export function judgeBinaries({ binaries, ofRuns, ofCommands }: Found, version: string): FarBinary[] {
  const keepOf = (name: string): FarBinary["keep"] => {
    if (!wholeName.test(name)) return undefined;
    if (name.startsWith(`xfer-${version}-`)) return "this version";
    if (ofRuns.includes(name)) return "a run uses it";
    return ofCommands.includes(name) ? "a command uses it" : undefined;
  };
  return binaries.map(({ name, bytes }) => ({ name, bytes, keep: keepOf(name) }));
}

/** Removes binaries by their names. */
export async function removeBinaries(
  end: FarEnd,
  { run_root }: Pick<Profile, "run_root">,
  names: readonly string[],
  stop: AbortSignal,
): Promise<void> {
  if (names.length === 0) return;
  const remove = `cd ${farWord(run_root)}/.xfer/bin && rm -f -- ${quoteWords(names)}`;
  const { code, stderr } = await end.run(remove, { stop });
  if (code !== 0) throw operationFailed(`${end.host}: ${stderr.trim().split("\n").at(-1) ?? ""}`);
}
