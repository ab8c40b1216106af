import { operationFailed } from "../system/errors.ts";
import { quoteWords } from "../system/shell-words.ts";
import type { FarEnd } from "./far-end.ts";

/** A binary below a run root, and what becomes of it. */
export interface FarBinary {
  name: string;
  bytes: number;
  /** Why it stays; undefined when nothing uses it. */
  keptFor: "this xfer" | "a run or a command" | undefined;
}

/** The names that putFile gives: version and digest, then .part or a number while it arrives. No other file is ever removed. */
const ownName = /^xfer-[\w.+-]+-[0-9a-f]{12}(?:\.part|\.\d+)?$/;

/**
 * Lists the binaries of a run root: a line "bytes name" for each, and behind a mark what may name one. These are the
 * bin/agent-path of every run directory below the run root, and the sessions. Of a run directory the folders that hold
 * many files are not looked into. A part that is younger than a day may be arriving.
 */
function listScript(runRoot: string): string {
  const hex = "[0-9a-f]".repeat(12);
  // Folders of a run directory, and not of the same name elsewhere.
  const isOfRun = `-exec test -e '{}/../config.resolved.json' ';'`;
  return [
    `cd ${quoteWords([runRoot])} || exit 1`,
    "if [ -d .xfer/bin ]; then",
    `  names=$(cd .xfer/bin && find . -type f '(' -name 'xfer-*-${hex}' -o -name 'xfer-*-${hex}.*' -mtime +0 ')') || exit 1`,
    // Names of blanks are none that xfer gives.
    `  for name in $names; do printf '%s %s\\n' "$(wc -c < ".xfer/bin/$name" | tr -d ' ')" "$name"; done`,
    "fi",
    "echo '== used'",
    `find . -type d '(' -name state -o -name logs -o -name shards ')' ${isOfRun} -prune -o ` +
      `-type f '(' -path '*/bin/agent-path' -o -path './.xfer/sessions/*/session.json' ')' -exec cat '{}' +`,
  ].join("\n");
}

/**
 * What becomes of each binary, from what the list's script prints. Names hold version and digest, so that a run which names
 * one by another path to the same folder keeps it, too.
 */
export function parseBinaries(printed: string, current: string | undefined): FarBinary[] {
  const [list = "", used = ""] = printed.split("== used\n");
  return [...list.matchAll(/^(\d+) \.\/(.+)$/gm)]
    .map(([, bytes, name = ""]) => ({ name, bytes: Number(bytes) }))
    .filter(({ name }) => ownName.test(name))
    .map(({ name, bytes }) => {
      const whole = name.replace(/\.(?:part|\d+)$/, "");
      const isUsed = name === whole && used.includes(whole);
      return {
        name,
        bytes,
        keptFor: whole === current ? "this xfer" : isUsed ? "a run or a command" : undefined,
      };
    });
}

/**
 * The binaries below a run root, and which of them nothing uses. `current` is the last part of the path that chosenBinary
 * gives: the one that this xfer uses there.
 * Throws when something below the run root cannot be looked into: it may be a run.
 */
export async function listBinaries(
  end: FarEnd,
  runRoot: string,
  current: string | undefined,
  stop: AbortSignal,
): Promise<FarBinary[]> {
  const { code, stdout, stderr } = await end.run(listScript(runRoot), { stop });
  if (code === 0) return parseBinaries(stdout, current);
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw operationFailed(
    `${end.host}:${runRoot}: cannot be looked through for runs that use a binary: ${said}: nothing was removed`,
  );
}

/** Removes the binaries that nothing uses, and returns those that are gone. */
export async function removeUnused(
  end: FarEnd,
  runRoot: string,
  binaries: readonly FarBinary[],
  stop: AbortSignal,
): Promise<FarBinary[]> {
  const unused = binaries.filter(({ keptFor }) => keptFor === undefined);
  if (unused.length === 0) return [];
  const paths = unused.map(({ name }) => `${runRoot}/.xfer/bin/${name}`);
  const { code, stderr } = await end.run(`rm -f -- ${quoteWords(paths)}`, { stop });
  if (code === 0) return unused;
  throw operationFailed(`${end.host}: ${stderr.trim().split("\n").at(-1) ?? `rm ended with ${code}`}`);
}
