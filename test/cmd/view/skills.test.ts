import { expect, test } from "bun:test";
import { installedJson, installedText, keptText, listedJson, listedText } from "../../../cmd/view/skills.ts";

const skills = [
  { name: "a-skill", description: "What it is for, in some words that fill a line and more", text: "# A" },
  { name: "other", description: "Short", text: "# O" },
];
const installed = [
  { name: "a", path: "s/a/SKILL.md", outcome: "written" },
  { name: "b", path: "s/b/SKILL.md", outcome: "same" },
  { name: "c", path: "s/c/SKILL.md", outcome: "kept" },
  { name: "d", path: "s/d/SKILL.md", outcome: "kept" },
  { name: "e", path: "s/e/SKILL.md", outcome: "updated" },
  { name: "f", path: "s/f/SKILL.md", outcome: "replaced" },
] as const;

test("skills are listed with what they are for, in lines that fit", () => {
  expect(listedText(skills, 32)).toBe(
    "a-skill\n  What it is for, in some words\n  that fill a line and more\n\nother\n  Short\n",
  );
  expect(listedJson(skills)).toEqual({
    schema: "xfer.skills.v1",
    skills: [
      { name: "a-skill", description: "What it is for, in some words that fill a line and more" },
      { name: "other", description: "Short" },
    ],
  });
});

test("an installation says what became of each file", () => {
  expect(installedText("s", installed)).toBe(
    [
      "s/a/SKILL.md: written",
      "s/b/SKILL.md: is up to date",
      "s/c/SKILL.md: kept as it was changed",
      "s/d/SKILL.md: kept as it was changed",
      "s/e/SKILL.md: brought up to date",
      "s/f/SKILL.md: replaced, changes and all",
      "s: 6 skills\n",
    ].join("\n"),
  );
  expect(installedJson("s", installed.slice(0, 1))).toEqual({
    schema: "xfer.skills-install.v1",
    folder: "s",
    skills: [{ name: "a", path: "s/a/SKILL.md", outcome: "written" }],
  });
});

test("files that were kept are named with what replaces them", () => {
  expect(keptText(installed)).toBe(
    "not brought up to date, since somebody has changed them: s/c/SKILL.md, s/d/SKILL.md (--force replaces them)",
  );
  expect(keptText(installed.slice(0, 2))).toBeUndefined();
});
