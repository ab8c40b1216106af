import { type ConsolaReporter, createConsola } from "consola";

const words: Readonly<Record<string, string>> = { warn: "warning: ", error: "error: ", fatal: "error: " };

/** Prints each message as one plain line. Where no terminal is watched the time is before it, since logs are read later. */
const reporter: ConsolaReporter = {
  log: ({ type, args, date }) => {
    // A live line may stand where the message goes: clear it.
    const start = process.stderr.isTTY ? "\r\x1b[2K" : `${date.toISOString()} `;
    process.stderr.write(`${start}${words[type] ?? ""}${args.map(String).join(" ")}\n`);
  },
};

/** The program's logger. Everything goes to stderr, since stdout is for data. */
export const log = createConsola({ reporters: [reporter], stdout: process.stderr, stderr: process.stderr });
