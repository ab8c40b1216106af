/** The two outputs of sbatch, or of a site's program of that name. */
export interface SbatchOutput {
  stdout: string;
  stderr: string;
}

/** A job id as `sbatch --parsable` prints it (`123`, `123;cluster`), or as sbatch prints it without that option. */
const idLine = /^(?:(\d{1,10})(?:;\S+)?|Submitted batch job (\d{1,10})(?: on cluster \S+)?)$/;

/**
 * The id of a submitted job, among whatever else is printed (banners, a site's plugins):
 *
 * | lines that are an id | result |
 * |---|---|
 * | on stdout one, or several that are equal | that id |
 * | none on stdout, one on stderr | that id |
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
