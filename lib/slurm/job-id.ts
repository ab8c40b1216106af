/** What sbatch, or a site's program of that name, printed on its two streams. */
export interface SbatchOutput {
  stdout: string;
  stderr: string;
}

/** A line of `sbatch --parsable`, `123` or `123;cluster`, or of an sbatch that was not asked for that form. */
const idLine = /^(?:(\d{1,10})(?:;\S+)?|Submitted batch job (\d{1,10})(?: on cluster \S+)?)$/;

/**
 * The id of a submitted job, among whatever else is said (banners, a site's plugins):
 *
 * | lines that are an id | the id |
 * |---|---|
 * | one on stdout, or several of the same | that |
 * | none on stdout, one on stderr | that |
 * | two different ones, or none | undefined |
 */
export function findJobId({ stdout, stderr }: SbatchOutput): string | undefined {
  for (const text of [stdout, stderr]) {
    const ids = new Set<string>();
    for (const line of Bun.stripANSI(text).split(/[\r\n]+/)) {
      const [, parsable, told] = idLine.exec(line.trim()) ?? [];
      const id = parsable ?? told;
      if (id !== undefined) ids.add(id);
    }
    const [only] = ids;
    if (ids.size > 0) return ids.size === 1 ? only : undefined;
  }
  return undefined;
}

/** Both streams in one line, for an error. */
export function outputText({ stdout, stderr }: SbatchOutput): string {
  const shown = (name: string, text: string) => {
    const line = Bun.stripANSI(text)
      .trim()
      .replace(/\s*[\r\n]+\s*/g, "; ");
    return `${name}: ${line === "" ? "(nothing)" : line.slice(0, shownMax)}`;
  };
  return `${shown("stdout", stdout)}, ${shown("stderr", stderr)}`;
}

const shownMax = 1_000;
