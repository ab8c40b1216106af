import { expect, test } from "bun:test";
import { differenceOf } from "./told.ts";

const time = "2026-11-25T14:00:04.645Z";

/** [what it is, the page's lines, stdout, stderr, whether the page tells the truth] */
const rows: [string, string[], string, string, boolean][] = [
  ["the same", ["a", "b"], "a\nb\n", "", true],
  ["nothing", [], "", "", true],
  ["another line", ["a", "b"], "a\nc\n", "", false],
  ["a line more", ["a"], "a\nb\n", "", false],
  ["a line less", ["a", "b"], "a\n", "", false],
  [
    "other times and run ids",
    ["at 2026-01-01T00:00:00Z, x_20260101T000000Z_a1b2c3_y"],
    `at ${time}, x_20261125T140004Z_0f0f0f_y\n`,
    "",
    true,
  ],
  ["lines left out", ["a", "...", "d"], "a\nb\nc\nd\n", "", true],
  ["none to leave out", ["a", "...", "d"], "a\nd\n", "", true],
  ["another line after those left out", ["a", "...", "e"], "a\nb\nd\n", "", false],
  ["progress that the page leaves out", ["a"], "a\n", `${time} listed\n`, true],
  ["progress that the page tells", ["listed", "a"], "a\n", `${time} listed\n`, true],
  ["an error that the page leaves out", ["a"], "a\n", "xfer: wrong\n", false],
  ["an error", ["xfer: wrong"], "", "xfer: wrong\n", true],
  ["an error in two lines", ["xfer: wrong,", "    so mend it"], "", "xfer: wrong, so mend it\n", true],
  ["another error", ["xfer: wrong"], "", "xfer: worse\n", false],
];

test.each(rows)("%s", (_, told, stdout, stderr, isTrue) => {
  expect(differenceOf(told, { code: 0, stdout, stderr }) === undefined).toBe(isTrue);
});
