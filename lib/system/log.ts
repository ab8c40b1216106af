import { type ConsolaReporter, createConsola } from "consola";

const words: Readonly<Record<string, string>> = { warn: "warning: ", error: "error: ", fatal: "error: " };

/** One plain line a message; with the time where nobody watches a terminal, since logs are read later. */
const reporter: ConsolaReporter = {
  log: ({ type, args, date }) => {
    // On a terminal a live line may stand where this goes.
    const start = process.stderr.isTTY ? "\r\x1b[2K" : `${date.toISOString()} `;
    process.stderr.write(`${start}${words[type] ?? ""}${args.map(String).join(" ")}\n`);
  },
};

/** The program's logger: everything goes to stderr, since stdout is for data. */
export const log = createConsola({ reporters: [reporter], stdout: process.stderr, stderr: process.stderr });
