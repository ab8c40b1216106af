/** What a release makes of CHANGELOG.md. */

/** A changelog whose unreleased lines are those of a version, and these lines themselves. */
interface CutChangelog {
  text: string;
  notes: string;
}

/** What keeps a changelog from being cut. */
interface CutProblem {
  problem: string;
}

/**
 * Cuts the unreleased lines of a changelog into a version:
 *
 * | under `## Unreleased` | the version | |
 * |---|---|---|
 * | lines | is not there | they stand under `## VERSION - DATE`, below an empty `## Unreleased` |
 * | nothing | is there | as it is: it was cut before, to be looked at |
 * | lines | is there | a problem: a version is cut once |
 * | nothing, or there is no such heading | is not there | a problem: there is nothing to release |
 *
 * `date` is a day, such as 2026-11-25.
 */
export function cutChangelog(text: string, version: string, date: string): CutChangelog | CutProblem {
  const sections = text.split(/^(?=## )/m);
  const at = sections.findIndex((section) => headingOf(section) === "Unreleased");
  if (at === -1) return { problem: 'it has no heading "## Unreleased"' };
  const notes = bodyOf(sections[at]);
  const cut = sections.find((section) => headingOf(section) === version);
  if (cut !== undefined) {
    return notes === ""
      ? { text, notes: bodyOf(cut) }
      : { problem: `it has ${version} already, and unreleased lines` };
  }
  if (notes === "") return { problem: 'nothing is under "## Unreleased"' };
  const rest = sections.slice(at + 1).join("");
  const made = `## Unreleased\n\n## ${version} - ${date}\n\n${notes}\n${rest === "" ? "" : "\n"}`;
  return { text: sections.slice(0, at).join("") + made + rest, notes };
}

/** The first word of a section's heading. */
function headingOf(section: string): string | undefined {
  return /^## (\S+)/.exec(section)?.[1];
}

/** What stands below a section's heading. */
function bodyOf(section = ""): string {
  return section.slice(section.indexOf("\n") + 1).trim();
}

/**
 * What is wrong with a version that is to follow another one; undefined when nothing is:
 *
 * | version | |
 * |---|---|
 * | three whole numbers, above the last one | right |
 * | the last one itself | right: package.json has it already, from a cut that was looked at |
 * | below the last one, or of another form | wrong |
 */
export function versionProblem(version: string, last: string): string | undefined {
  const numbers = (text: string) => /^(\d+)\.(\d+)\.(\d+)$/.exec(text)?.slice(1).map(Number);
  const wanted = numbers(version);
  if (!wanted) return `${version} is no version: write three numbers, such as 0.3.0`;
  const known = numbers(last) ?? [];
  const at = wanted.findIndex((number, index) => number !== (known[index] ?? 0));
  if (at === -1 || (wanted[at] ?? 0) > (known[at] ?? 0)) return undefined;
  return `${version} is below ${last}, which package.json has`;
}
