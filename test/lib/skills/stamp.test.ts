import { expect, test } from "bun:test";
import { stamped, standingOf } from "../../../lib/skills/stamp.ts";

const wanted = "# A skill\n\ntext\n";
const earlier = "# A skill\n\nearlier text\n";

test("the stamp is one comment below the text", () => {
  const [text, line, rest] = stamped(wanted, "1.2.3").split(/(?<=\ntext\n)(?=\n)|(?<=-->\n)/);
  expect(text).toBe(wanted);
  expect(line).toMatch(/^\n<!-- installed by xfer 1\.2\.3: sha256 [0-9a-f]{64} -->\n$/);
  expect(rest).toBeUndefined();
});

test.each<[string, string | undefined, ReturnType<typeof standingOf>]>([
  ["is not there", undefined, "absent"],
  ["was installed by this version", stamped(wanted, "1.2.3"), "same"],
  ["was installed by another version with the same text", stamped(wanted, "1.2.2"), "same"],
  ["is the repository's own", wanted, "same"],
  ["was installed by an earlier version", stamped(earlier, "1.0.0"), "other-version"],
  ["was installed and then changed", stamped(earlier, "1.0.0").replace("text", "words"), "changed"],
  ["was installed and then added to", `${stamped(earlier, "1.0.0")}more\n`, "changed"],
  ["was installed and lost its stamp", earlier, "changed"],
  ["has been of somebody's own from the beginning", "mine\n", "changed"],
  ["is empty", "", "changed"],
])("a file that %s", (_what, present, standing) => {
  expect(standingOf(present, wanted)).toBe(standing);
});
