import { expect, test } from "bun:test";
import { cutToWidth, fitParts, LiveLine } from "../../../cmd/view/live-line.ts";
import { setVerbosity } from "../../../lib/system/log.ts";

const parts = [
  { text: "12%", weight: 3 },
  { text: "1,234 objects", weight: 1 },
  { text: "", weight: 9 },
  { text: "ETA 3d04h", weight: 2 },
];

test.each([
  [80, "12%  1,234 objects  ETA 3d04h"],
  [29, "12%  1,234 objects  ETA 3d04h"],
  [28, "12%  ETA 3d04h"],
  [13, "12%"],
  [2, "12"],
])("%p columns", (columns, line) => expect(fitParts(parts, columns)).toBe(line));

test.each([
  ["plain", 3, "pla"],
  ["wide 漢字 text", 8, "wide 漢"],
  ["e\u0301tat", 2, "e\u0301t"],
  ["one\ntwo\x1b[2K", 80, "one two [2K"],
  ["", 5, ""],
])("%p cut to %p columns", (text, columns, cut) => expect(cutToWidth(text, columns)).toBe(cut));

/** A stream that keeps what is written to it. */
function stream(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const write = (text: string) => written.push(text) > 0;
  return { written, live: new LiveLine({ isTTY, columns, write } as unknown as NodeJS.WriteStream) };
}

test("on a terminal no line is as wide as the terminal, and each replaces the one before", () => {
  for (const columns of [undefined, 0, 40, 80]) {
    const { written, live } = stream(true, columns);
    live.update("x".repeat(200));
    live.update([{ text: "y".repeat(200), weight: 0 }]);
    for (const text of written) expect(text).toMatch(/^\r\x1b\[2K(.)\1*$/);
    for (const text of written) expect(text.length - 5).toBe((columns || 80) - 1);
  }
});

test("elsewhere a line comes every ten seconds, whole, and at once with news", () => {
  const { written, live } = stream(false);
  const start = Date.now();
  const line = "z".repeat(200);
  live.update(line, { nowMs: start + 1_000 });
  expect(written).toEqual([]);
  live.update(line, { nowMs: start + 11_000 });
  expect(written).toEqual([`${line}\n`]);
  live.update(line, { nowMs: start + 12_000, news: "down" });
  live.update(line, { nowMs: start + 13_000, news: "down" });
  expect(written).toHaveLength(2);
  live.update(line, { nowMs: start + 14_000 });
  live.update(line, { nowMs: start + 15_000, news: "down" });
  expect(written).toHaveLength(3);
});

test("where the user wants quiet, nothing is shown", () => {
  setVerbosity("quiet");
  try {
    for (const isTTY of [true, false]) {
      const { written, live } = stream(isTTY, 80);
      live.update("a line", { nowMs: Date.now() + 60_000, news: "down" });
      live.clear();
      expect(written).toEqual([]);
    }
  } finally {
    setVerbosity("normal");
  }
});
