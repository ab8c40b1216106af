import { type ConsolaReporter, createConsola, LogLevels } from "consola";

const words: Readonly<Record<string, string>> = { warn: "warning: ", error: "error: ", fatal: "error: " };

/** The same words as a terminal shows them in yellow or red. */
const colored: typeof words = {
  warn: "\x1b[33mwarning:\x1b[39m ",
  error: "\x1b[31merror:\x1b[39m ",
  fatal: "\x1b[31merror:\x1b[39m ",
};
let shownWords = words;

/** One plain line a message; with the time where nobody watches a terminal, since logs are read later. */
const reporter: ConsolaReporter = {
  log: ({ type, args, date }) => {
    // On a terminal a live line may stand where this goes.
    const start = process.stderr.isTTY ? "\r\x1b[2K" : `${date.toISOString()} `;
    process.stderr.write(`${start}${shownWords[type] ?? ""}${args.map(String).join(" ")}\n`);
  },
};

/** The program's logger: everything goes to stderr, since stdout is for data. */
export const log = createConsola({
  reporters: [reporter],
  stdout: process.stderr,
  stderr: process.stderr,
  level: LogLevels.info,
});

/** How much the program says of its work. */
export type Verbosity = "quiet" | "normal" | "verbose";

const levels: Readonly<Record<Verbosity, number>> = {
  quiet: LogLevels.warn,
  normal: LogLevels.info,
  verbose: LogLevels.debug,
};

/**
 * Sets how much is said on stderr:
 *
 * | | errors and warnings | messages and progress | details |
 * |---|---|---|---|
 * | quiet | shown | not shown | not shown |
 * | normal | shown | shown | not shown |
 * | verbose | shown | shown | shown |
 */
export function setVerbosity(verbosity: Verbosity): void {
  log.level = levels[verbosity];
}

/** Sets whether warnings and errors begin in color. */
export function setColors(isColored: boolean): void {
  shownWords = isColored ? colored : words;
}

/** Whether messages that are neither errors nor warnings, and progress, are left out. */
export function isQuiet(): boolean {
  return log.level < LogLevels.info;
}

/** The words of a line that an xfer has printed on its stderr, without colors, and without time and level before them. */
export function wordsOfLine(line: string): string {
  return Bun.stripANSI(line)
    .replace(/^(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?(?:error: |warning: |xfer: )?/, "")
    .trim();
}
