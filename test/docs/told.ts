/** Holds what a command printed against what its page says. */

/** How a command ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** What differs from one run to the next, and stands for any other of its kind. */
const varying: readonly [RegExp, string][] = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "TIME"],
  [/(?<!\d)\d{8}T\d{6}Z_[0-9a-f]{6}/g, "RUN_ID"],
];

function plainLines(text: string): string[] {
  let plain = text.trimEnd();
  if (plain === "") return [];
  for (const [pattern, name] of varying) plain = plain.replace(pattern, name);
  return plain.split("\n").map((line) => line.trimEnd());
}

/** What a page tells, where an error may go on in lines of their own, indented by four spaces. */
function toldLines(told: readonly string[]): string[] {
  const whole: string[] = [];
  for (const line of told) {
    const goesOn = line.startsWith("    ") && isError(whole.at(-1) ?? "");
    whole.push(goesOn ? `${whole.pop()} ${line.trim()}` : line);
  }
  return plainLines(whole.join("\n"));
}

const isError = (line: string) => /^xfer[\w ]*: /.test(line);

/** Whether lines are those that are told, of which one `...` stands for any number. */
function matches(told: readonly string[], lines: readonly string[]): boolean {
  const at = told.indexOf("...");
  if (at === -1) return told.length === lines.length && told.every((line, index) => line === lines[index]);
  if (!told.slice(0, at).every((line, index) => line === lines[index])) return false;
  for (let next = at; next <= lines.length; next++) {
    if (matches(told.slice(at + 1), lines.slice(next))) return true;
  }
  return false;
}

/**
 * How a command's output differs from what its page tells; undefined when it does not:
 *
 * | output | on the page |
 * |---|---|
 * | stdout | all of it, in order; a line `...` stands for any number of lines |
 * | stderr, a line `xfer: ...`: an error | must be there; it may be broken into lines that four spaces indent |
 * | stderr, any other line | may be there, without its time |
 */
export function differenceOf(told: readonly string[], ended: Ended): string | undefined {
  const said = plainLines(ended.stderr).map((line) => line.replace(/^TIME /, ""));
  const wanted = toldLines(told);
  const ofStdout = wanted.filter((line) => line === "..." || line === "" || !said.includes(line));
  const missing = said.filter((line) => isError(line) && !wanted.includes(line));
  const printed = plainLines(ended.stdout);
  if (missing.length === 0 && matches(ofStdout, printed)) return undefined;
  return ["the page tells:", ...wanted, "stdout:", ...printed, "stderr:", ...said].join("\n");
}
