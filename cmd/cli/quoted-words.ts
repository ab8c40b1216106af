/** The words of a command line as they are written, quotes and all: spaces inside quotes divide nothing. */
export function quotedWords(line: string): string[] {
  return line.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs) ?? [];
}
