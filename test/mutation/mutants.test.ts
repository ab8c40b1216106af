import { expect, test } from "bun:test";
import { mutantsOf } from "./mutants.ts";

/** What each mutant makes of the line that it changes. */
const changed = (text: string): string[] => mutantsOf(text).map(({ to }) => to);

test("each operator, word, number and statement is changed by itself", () => {
  expect(changed("const a = b > 1 && !c(d);")).toEqual([
    "const a = b >= 1 && !c(d);",
    "const a = b > 1 || !c(d);",
    "const a = b > 2 && !c(d);",
    "const a = b > 1 && c(d);",
  ]);
  expect(changed("  return a === true;")).toEqual(["return a !== true;", "return a === false;"]);
  expect(changed("  this.#go(a);\n  this.x += b;\n  await c();\n  i++;\n  continue;\n")).toEqual([
    ...[";", ";", ";", ";", ";"],
  ]);
  expect(changed("x = Math.max(a, list.some(f));")).toEqual([
    "x = Math.min(a, list.some(f));",
    "x = Math.max(a, list.every(f));",
  ]);
});

test("anchors and branches of regular expressions, and rows of tables, are taken away", () => {
  expect(changed("const a = /^(?:b|c\\|d)$/i;")).toEqual([
    "const a = /(?:b|c\\|d)$/i;",
    "const a = /^(?:b|c\\|d)/i;",
    "const a = /^(?:c\\|d)$/i;",
    "const a = /^(?:b)$/i;",
  ]);
  expect(changed('const a = [\n  "b",\n  [/c/, "d"],\n];')).toEqual(["", ""]);
});

test("nothing is changed that does not run, or that is text", () => {
  for (const text of [
    "// a > 1 && b",
    "/** a === true */",
    'const a = "b > 1 && c";',
    "const a = `b > 1 $ && c`;",
    "interface A {\n  b: 1 | true;\n}",
    "type A = B extends C ? 1 : 2;",
    'import { a } from "b";',
    "const a = (b: Map<string, number>) => b;",
  ])
    expect([text, changed(text)]).toEqual([text, []]);
});

test("code in a template, and after a division, is code", () => {
  const template = (code: string) => ["const a = `b $", "{", code, "} && e`;"].join("");
  expect(changed(template("c > d"))).toEqual([template("c >= d")]);
  expect(changed("const a = b / c > d / e;")).toEqual(["const a = b / c >= d / e;"]);
});

test("a mutant names its line, and differs in that line alone", () => {
  const text = "const a = 1;\nconst b = c > d;\nconst e = f;\n";
  expect(mutantsOf(text).at(-1)).toEqual({
    line: 2,
    from: "const b = c > d;",
    to: "const b = c >= d;",
    text: text.replace(">", ">="),
  });
});
