import { expect, test } from "bun:test";
import { quoteWords, splitWords } from "../../../lib/system/shell-words.ts";

const awkward = [
  "plain",
  "",
  "a b",
  "it's",
  '"quoted"',
  "back\\slash",
  "$HOME `id` $(id)",
  "*?[a]{b,c}",
  "~",
  "#x",
  "a;b|c&d>e<f",
  "!!",
  "line\nbreak",
  "tab\t",
  "-n",
  "\u{1f600} ü",
  "'",
  "\\",
  "a=b",
];

test("a shell reads back what was quoted, word for word", () => {
  const line = `for word in ${quoteWords(awkward)}; do printf '%s\\0' "$word"; done`;
  const { stdout, exitCode } = Bun.spawnSync(["sh", "-c", line]);
  expect(exitCode).toBe(0);
  expect(stdout.toString().split("\0").slice(0, -1)).toEqual(awkward);
});

test("what was quoted is split into the same words", () => {
  expect(splitWords(quoteWords(awkward), "--x")).toEqual(awkward);
});

test.each<[string, string[]]>([
  ["", []],
  ["  \n\t", []],
  ["--transfers 8", ["--transfers", "8"]],
  ["--header 'A: b'", ["--header", "A: b"]],
  ['a"b c"d', ["ab cd"]],
  ["a\\ b", ["a b"]],
  ["''", [""]],
  ['"$HOME" `id` *', ["$HOME", "`id`", "*"]],
  ['\'a\\b\' "a\\b" "a\\"b"', ["a\\b", "a\\b", 'a"b']],
  ["--a\n--b\r\n--c", ["--a", "--b", "--c"]],
])("the words of %j", (text, words) => {
  expect(splitWords(text, "--x")).toEqual(words);
});

test.each(["'open", '"open', "a 'b\" c"])(
  "a quote that is not closed is told without what stands in it: %j",
  (text) => {
    expect(() => splitWords(text, "--rclone-flags")).toThrow(
      expect.objectContaining({ exitCode: 2, message: "--rclone-flags: a quote is not closed" }),
    );
  },
);
