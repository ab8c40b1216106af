import { type ConsolaReporter, createConsola, LogLevels } from "consola";

const words: Readonly<Record<string, string>> = { warn: "warning:", error: "error:", fatal: "error:" };
/** How a terminal is told the color of such a word. */
const colorCodes: Readonly<Record<string, number>> = { warn: 33, error: 31, fatal: 31 };
let colored = false;

function wordOf(type: string): string {
  const word = words[type];
  if (word === undefined) return "";
  return colored ? `\x1b[${colorCodes[type]}m${word}\x1b[39m ` : `${word} `;
}

/** One plain line a message; with the time where nobody watches a terminal, since logs are read later. */
const reporter: ConsolaReporter = {
  log: ({ type, args, date }) => {
    // On a terminal a live line may stand where this goes.
    const start = process.stderr.isTTY ? "\r\x1b[2K" : `${date.toISOString()} `;
    process.stderr.write(`${start}${wordOf(type)}${args.map(String).join(" ")}\n`);
  },
};

/** The program's logger: everything goes to stderr, since stdout is for data. */
export const log = createConsola({ reporters: [reporter], stdout: process.stderr, stderr: process.stderr });

/** From here on warnings and errors begin in color. */
export function useColors(): void {
  colored = true;
}

let quiet = false;

/** From here on errors and warnings alone are told: nothing of what is going on, and no progress. */
export function beQuiet(): void {
  quiet = true;
  log.level = LogLevels.warn;
}

/** Whether errors and warnings alone are wanted. */
export function isQuiet(): boolean {
  return quiet;
}

/** From here on the programs that are started are told too. */
export function beVerbose(): void {
  log.level = LogLevels.debug;
}
