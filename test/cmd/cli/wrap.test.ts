import { expect, test } from "bun:test";
import { wrap, wrapCommand } from "../../../cmd/cli/wrap.ts";

test.each([
  ["nothing", "", 10, []],
  ["what fits", "a bc", 4, ["a bc"]],
  ["words", "one two three", 7, ["one two", "three"]],
  ["spaces of any kind and number", " one\n  two ", 9, ["one two"]],
  ["words around a no-break space", "one two\u00a0three four", 9, ["one", "two three", "four"]],
  ["a list that is too long, after its marks", "--x alpha|beta|gamma", 11, ["--x alpha|", "beta|gamma"]],
  [
    "a path that is too long, after its slashes",
    "/etc/rclone/rclone.conf",
    12,
    ["/etc/rclone/", "rclone.conf"],
  ],
  ["a word without marks, anywhere", "abcdefgh", 3, ["abc", "def", "gh"]],
])("wraps %s", (_what, text, width, lines) => expect(wrap(text, width)).toEqual(lines));

test.each([
  ["xfer run --json", 20, ["xfer run --json"]],
  ["xfer run --source a --dest b", 20, ["xfer run \\", "  --source a \\", "  --dest b"]],
  ["xfer run --flags '--a 1 --b 2' --json", 27, ["xfer run \\", "  --flags '--a 1 --b 2' \\", "  --json"]],
  ["a --b --c d", 10, ["a --b \\", "  --c d"]],
])(
  "a command line that is pasted from lines of at most so many columns is the same: %s, %d",
  (line, width, lines) => {
    expect(wrapCommand(line, width)).toEqual(lines);
    const words = (script: string) =>
      Bun.spawnSync(["bash", "-c", `f() { printf '%s\\0' "$@"; }; f ${script}`]).stdout.toString();
    expect(words(lines.join("\n"))).toBe(words(line));
  },
);
