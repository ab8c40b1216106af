import { expect, test } from "bun:test";
import { anchorsOf, blocksOf, commandsOf, flagsOf, linksOf } from "./page.ts";

const page = `# A page

## First part

Text with \`code [no](link)\`, a [link](other.md#there), [one](https://example.com) of another site, and --a-flag.

    $ one --two \\
        --three
    told

    told, too
    $ four

Text that goes on
    and is no block.

## Second part: "quoted", with \`code\`

\`\`\`text
$ not a command
[not](a-link.md)
\`\`\`
`;

test("blocks, by heading and kind, with what follows an empty line inside", () => {
  expect(blocksOf(page).map(({ heading, info, line, lines }) => [heading, info, line, lines.length])).toEqual(
    [
      ["First part", undefined, 7, 6],
      ['Second part: "quoted", with `code`', "text", 20, 2],
    ],
  );
});

test("commands, over several lines, with what they print", () => {
  expect(blocksOf(page).slice(0, 1).flatMap(commandsOf)).toEqual([
    { line: 7, text: "one --two \\\n    --three", told: ["told", "", "told, too"] },
    { line: 12, text: "four", told: [] },
  ]);
});

test("links, anchors and flags of the text", () => {
  expect(linksOf(page)).toEqual(["other.md#there"]);
  expect([...anchorsOf(page)]).toEqual(["a-page", "first-part", "second-part-quoted-with-code"]);
  expect([...flagsOf(page)]).toEqual(["a-flag", "two", "three"]);
});
