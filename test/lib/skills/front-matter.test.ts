import { expect, test } from "bun:test";
import { frontMatterOf } from "../../../lib/skills/front-matter.ts";

test("name and description are read from above the text alone", () => {
  const text = "---\nname: a-skill\ndescription: What it is for\n---\n\nname: not this\n";
  expect(frontMatterOf(text)).toEqual({ name: "a-skill", description: "What it is for" });
});

test.each(["", "# A page\n", "---\nname: a\n---\n", "text\n---\nname: a\ndescription: b\n---\n"])(
  "%j has no front matter, which ends the program",
  (text) => {
    expect(() => frontMatterOf(text)).toThrow("no name or no description");
  },
);
