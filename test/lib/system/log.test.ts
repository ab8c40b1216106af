import { afterEach, expect, spyOn, test } from "bun:test";
import { isQuiet, log, setVerbosity, wordsOfLine } from "../../../lib/system/log.ts";

afterEach(() => setVerbosity("normal"));

test.each([
  ["quiet", ["warning: two", "error: three"], true],
  ["normal", ["one", "warning: two", "error: three"], false],
  ["verbose", ["zero", "one", "warning: two", "error: three"], false],
] as const)("what a %s program says", (verbosity, said, quiet) => {
  const written: string[] = [];
  const stderr = spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    setVerbosity(verbosity);
    log.debug("zero");
    log.info("one");
    log.warn("two");
    log.error("three");
  } finally {
    stderr.mockRestore();
  }
  expect(written.map((line) => line.replace(/^\S+Z |^\r\x1b\[2K/, "").trimEnd())).toEqual([...said]);
  expect(isQuiet()).toBe(quiet);
});

test.each([
  ["2026-11-25T08:15:00.123Z error: shard 3: no space left", "shard 3: no space left"],
  ["2026-11-25T08:15:00.123Z shard 3: done", "shard 3: done"],
  ["2026-11-25T08:15:00.123Z warning: 2026-11-25 is no time of a log", "2026-11-25 is no time of a log"],
  ["2026-11-25T08:15:00.123Z \x1b[31merror:\x1b[39m shard 3: no space left", "shard 3: no space left"],
  ["xfer: run/config.resolved.json: torn", "run/config.resolved.json: torn"],
  ["", ""],
])("the words of %p", (line, words) => expect(wordsOfLine(line)).toBe(words));
