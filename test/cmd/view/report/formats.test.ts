import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import * as v from "valibot";
import { type CsvKind, csvField, writeReportCsv } from "../../../../cmd/view/report/csv.ts";
import { elementText, escapeHtml, scriptJson } from "../../../../cmd/view/report/escape.ts";
import { writeReportHtml } from "../../../../cmd/view/report/html.ts";
import { writeReportJson } from "../../../../cmd/view/report/json.ts";
import { codeText, writeReportMarkdown } from "../../../../cmd/view/report/markdown.ts";
import { visibleText } from "../../../../cmd/view/report/visible.ts";
import { untransferablePath } from "../../../../lib/manifest/untransferable.ts";
import { readReport } from "../../../../lib/operate/report/report.ts";
import { type Report, reportSchema } from "../../../../lib/operate/report/schema.ts";
import { forEachCsvRow } from "../../../../lib/system/csv.ts";
import { type MadeShard, makeRun, minuteAt } from "../../../lib/operate/report/made-run.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

/** Keys that would break a page, a table or a terminal. */
const hostile = [
  "</script><img src=x onerror=alert(1)>",
  `"><svg/onload=alert(2)>`,
  "' autofocus onfocus=alert(3) x='",
  "<!--<script>",
  "bidi\u202egnp.exe",
  "control\u0001\u001b[31mred\u0007",
  "tab\there",
  "c1\u0085\u009b",
  "zero\u200bwidth\ufeff",
  "line\u2028separator",
  "half\ud800pair",
  "wide \u5bbd\u5b57 \u{1f600}",
  "back`tick``s",
  "`starts and ends`",
  'quote",comma',
  "pipe|and\\backslash",
  "=1+1",
  " blanks ",
  "&amp;",
];

const shards: MadeShard[] = [
  {
    keys: hostile,
    end: "failed",
    errors: hostile.map((path) => ({ path, class: "auth", message: `cannot copy ${path}` })),
    node: "<b>node</b>\u202e",
    samples: [[1, 1, 0, 7]],
  },
  { keys: ["well"], end: "done" },
];

/** What a format prints of a run. */
async function textOf(
  runDir: string,
  writer: (report: Report, write: (text: string) => Promise<void>) => Promise<void>,
): Promise<string> {
  const report = await readReport({ runDir, version: "7.7.7", now: new Date(minuteAt(60)) });
  let text = "";
  await writer(report, async (piece) => {
    text += piece;
  });
  return text;
}

const csv =
  (kind: CsvKind, isShown = false) =>
  (report: Report, write: (text: string) => Promise<void>) =>
    writeReportCsv(report, { kind, isShown }, write);
const html = (report: Report, write: (text: string) => Promise<void>) => writeReportHtml(report, write);

async function rowsOf(text: string): Promise<string[][]> {
  const rows: string[][] = [];
  const chunks = (async function* () {
    yield Buffer.from(text);
  })();
  await forEachCsvRow(chunks, "csv", (fields) => rows.push(fields));
  return rows;
}

describe("every format holds each hostile key of a failed run once", () => {
  test("json", async () => {
    using dir = temporaryDirectory();
    makeRun(dir.path, shards);
    const text = await textOf(dir.path, writeReportJson);
    expect(text.split("\n")).toHaveLength(2);
    const report = v.parse(reportSchema, JSON.parse(text));
    expect(report.objects.map(({ path }) => path)).toEqual(hostile);
    expect(text.startsWith('{"schema":"xfer.report.v1",')).toBe(true);
    expect(text.trimEnd()).toBe(visibleText(text.trimEnd()));
  });

  test("csv, as its reader of RFC 4180 reads it", async () => {
    using dir = temporaryDirectory();
    makeRun(dir.path, shards);
    const rows = await rowsOf(await textOf(dir.path, csv("objects")));
    expect(rows[0]).toEqual(["path", "size", "state", "class", "shard", "objects", "reason"]);
    // UTF-8 has no half of a pair.
    const asUtf8 = hostile.map((key) => key.toWellFormed());
    expect(rows.slice(1).map(([path]) => path)).toEqual(asUtf8);
    expect(rows[1]).toEqual([asUtf8[0] ?? "", "10", "failed", "auth", "0", "1", `cannot copy ${asUtf8[0]}`]);
    const shown = await textOf(dir.path, csv("objects", true));
    expect(shown.replaceAll("\r\n", "")).toBe(visibleText(shown.replaceAll("\r\n", "")));
    const shardRows = await rowsOf(await textOf(dir.path, csv("shards")));
    expect(shardRows.map((row) => row.slice(0, 2))).toEqual([
      ["shard", "state"],
      ["0", "failed"],
      ["1", "done"],
    ]);
    expect(new Set(shardRows.map((row) => row.length)).size).toBe(1);
  });

  test("md, in which nothing that is not seen is left", async () => {
    using dir = temporaryDirectory();
    makeRun(dir.path, shards);
    const text = await textOf(dir.path, writeReportMarkdown);
    for (const key of hostile)
      expect(text.split(`\n- ${codeText(key)} (failed, auth, shard 0, 10 B)`)).toHaveLength(2);
    expect(text.replaceAll("\n", "")).toBe(visibleText(text.replaceAll("\n", "")));
  });

  test("html, in which no key is markup", async () => {
    using dir = temporaryDirectory();
    makeRun(dir.path, shards);
    const text = await textOf(dir.path, html);
    for (const key of hostile) {
      expect(text.split(`<td class="key"><bdi>${escapeHtml(key)}</bdi></td>`)).toHaveLength(2);
    }
    const tags = new Set<string>();
    let handlers = 0;
    const rewriter = new HTMLRewriter().on("*", {
      element(element) {
        tags.add(element.tagName);
        for (const [name] of element.attributes) if (name.startsWith("on")) handlers++;
      },
    });
    rewriter.transform(text);
    for (const tag of ["img", "svg/onload=alert(2)", "b/"]) expect(tags).not.toContain(tag);
    expect(tags).toContain("td");
    expect(handlers).toBe(0);
    expect(text.match(/<script\b/g)).toHaveLength(3);
    expect(text.match(/<\/script>/g)).toHaveLength(3);
  });
});

test("a page loads nothing, and lets nothing else be loaded", async () => {
  using dir = temporaryDirectory();
  makeRun(dir.path, shards);
  const text = await textOf(dir.path, html);
  const addresses = text.match(/(?:https?:)?\/\/[\w.-]+\.[a-z]{2,}[^\s"')<]*/g) ?? [];
  // What the license of the plotting library asks to be kept.
  expect([...new Set(addresses)]).toEqual(["https://github.com/leeoniya/uPlot"]);
  expect(text).toContain("Copyright (c)");
  const loading: string[] = [];
  new HTMLRewriter()
    .on("*", {
      element(element) {
        for (const name of ["src", "href", "srcset", "action", "data", "poster"]) {
          const value = element.getAttribute(name);
          if (value !== null) loading.push(value);
        }
      },
    })
    .transform(text);
  expect(loading).toEqual(["data:,"]);
  expect(text).not.toMatch(/@import|url\(/);
  expect(text).toMatch(/Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
});

test("a page names the first objects alone, and says where all are", async () => {
  using dir = temporaryDirectory();
  makeRun(dir.path, [{ keys: Array.from({ length: 30 }, (_, i) => `k${i}`) }]);
  const text = await textOf(dir.path, (report, write) => writeReportHtml(report, write, 20));
  expect(text.match(/<td class="key">/g)).toHaveLength(20);
  expect(text).toContain("These are 20 of 30 objects; <code>xfer report --format csv</code> names all.");
});

describe("a run without objects that are not proven, and one that is not cut", () => {
  const writers = { json: writeReportJson, csv: csv("objects"), md: writeReportMarkdown, html };
  test.each(Object.entries(writers))("%s", async (name, writer) => {
    using dir = temporaryDirectory();
    makeRun(`${dir.path}/done`, [{ keys: ["a"], end: "done" }]);
    const done = await textOf(`${dir.path}/done`, writer);
    if (name === "json") expect(JSON.parse(done).objects).toEqual([]);
    else if (name === "csv") expect(done.split("\r\n")).toHaveLength(2);
    else {
      expect(done).toContain("All 1 object");
      expect(done).not.toContain("Objects that are not proven");
    }
    const run = makeRun(`${dir.path}/bare`, [{ keys: ["a"] }]);
    writeFileSync(
      untransferablePath(run.manifest),
      `${JSON.stringify({ key: "u//v", size: 3, reason: "r" })}\n`,
    );
    expect(await textOf(`${dir.path}/bare`, writer)).toContain("u//v");
  });
});

test.each([
  ["a", "a"],
  [null, ""],
  [0, "0"],
  ["a,b", '"a,b"'],
  ['a"b', '"a""b"'],
  ["a\nb", '"a\nb"'],
  ["a\rb", '"a\rb"'],
  [" a", '" a"'],
  ["a ", '"a "'],
])("a field of CSV: %j is %j", (field, shown) => {
  expect(csvField(field)).toBe(shown);
});

test.each([
  ["a/b c", "`a/b c`"],
  ["a`b", "``a`b``"],
  ["a``b`c", "```a``b`c```"],
  ["`a`", "`` `a` ``"],
  [" a", "`  a `"],
  ["", "`  `"],
  ["\u0000\u202e", "`\\u0000\\u202e`"],
])("%j as code in Markdown is %j", (text, shown) => {
  expect(codeText(text)).toBe(shown);
});

test.each([
  ["plain \u00e9 \u{1f600}", "plain \u00e9 \u{1f600}"],
  ["\ud800a\udc00", "\\ud800a\\udc00"],
  ["\u0007\u007f\u0080\u061c\u2066", "\\u0007\\u007f\\u0080\\u061c\\u2066"],
])("%j is shown as %j", (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test("what stands in a script element cannot end it", () => {
  expect(scriptJson({ a: "</script><!--&\u2028" })).toBe(
    '{"a":"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028"}',
  );
  expect(() => elementText("a</script>")).toThrow("would end its own element");
  expect(elementText("a < b")).toBe("a < b");
});
