import { expect, test } from "bun:test";
import { isColored } from "../../../cmd/cli/colors.ts";

test.each<[string | undefined, boolean, Record<string, string>, boolean]>([
  ["always", false, { NO_COLOR: "1" }, true],
  ["never", true, {}, false],
  ["auto", true, {}, true],
  [undefined, true, {}, true],
  [undefined, true, { NO_COLOR: "" }, true],
  [undefined, true, { NO_COLOR: "1" }, false],
  [undefined, true, { TERM: "dumb" }, false],
  [undefined, false, {}, false],
])("--color %p, a terminal: %p, %p: in color: %p", (mode, isTTY, env, colored) => {
  expect(isColored(mode, { isTTY }, env)).toBe(colored);
});
