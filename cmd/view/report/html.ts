import { createHash } from "node:crypto";
import plotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import plotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import plotLicense from "uplot/LICENSE" with { type: "text" };
import type { Report, Unproven } from "../../../lib/operate/report/schema.ts";
import { forEachUnproven } from "../../../lib/operate/report/unproven.ts";
import { formatBytes, formatCount, formatObjects } from "../../../lib/system/units.ts";
import pageStyle from "../../../templates/report/page.css" with { type: "text" };
import pageScript from "../../../templates/report/page.js" with { type: "text" };
import { chartHtml } from "./chart-html.ts";
import { elementText, escapeHtml, nameHtml, scriptJson } from "./escape.ts";
import { summaryHtml } from "./summary-html.ts";
import { type Cell, type Column, numberCell, rowHtml, tableHtml, textCell, timeCell } from "./table-html.ts";
import type { Write } from "./visible.ts";
import { askedRows, attemptRows, causeWords, type Row, versionRows, whoWords } from "./words.ts";

/** Objects that a page names: a browser holds all of them. The other formats name all. */
const htmlObjectsMax = 10_000;

/**
 * Writes a report as one page of HTML that loads nothing: its scripts and styles are in it, its policy lets nothing else
 * run, and no request leaves it. All that others have named is escaped.
 */
export async function writeReportHtml(report: Report, write: Write, most = htmlObjectsMax): Promise<void> {
  await write(headHtml(report));
  const columns: Column[] = ["object", { number: "size" }, "state", "class", { number: "shard" }, "reason"];
  let [rows, found] = [0, 0];
  await forEachUnproven(report, async (objects) => {
    if (rows === 0) {
      await write(`<section><h2>Objects that are not proven</h2>${tableHtml.start("objects", columns)}`);
    }
    const shown = objects.slice(0, Math.max(0, most - rows));
    rows += shown.length;
    found += objects.reduce((sum, object) => sum + object.objects, 0);
    await write(shown.map(objectRow).join(""));
  });
  if (rows > 0) {
    const more = found > rows ? moreText(found, rows) : "";
    await write(`${tableHtml.end}${more}</section>`);
  }
  await write(tailHtml(report));
}

const moreText = (found: number, rows: number): string =>
  `<p>These are ${formatCount(rows)} of ${formatObjects(found)}; <code>xfer report --format csv</code> names all.</p>`;

function objectRow({ path, size, state, class: failure, shard, objects, reason }: Unproven): string {
  const name = path === null ? `${formatObjects(objects)} that cannot be named` : path;
  const cells: Cell[] = [
    textCell(name, path === null ? "" : "key"),
    size === null ? textCell("") : numberCell(size, formatBytes(size)),
    textCell(state),
    textCell(failure ?? ""),
    shard === null ? textCell("") : numberCell(shard),
    textCell(reason, "wide"),
  ];
  return rowHtml(cells);
}

/** The digest of a script, by which the page's policy knows it. */
const scriptSource = (script: string) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`;

function headHtml(report: Report): string {
  const { asked } = report;
  const scripts = [elementText(plotScript), elementText(pageScript)].map(scriptSource).join(" ");
  const policy = `default-src 'none'; script-src ${scripts}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n',
    `<title>${escapeHtml(`Transfer report: ${asked.source_root} to ${asked.dest_root}`)}</title>\n`,
    `<style>${elementText(plotStyle)}</style>\n<style>${elementText(pageStyle)}</style>\n</head>\n<body>\n<main>\n`,
    summaryHtml(report),
    causesHtml(report),
    throughputHtml(report),
    chartHtml(report),
  ].join("");
}

function causesHtml({ causes, more_causes }: Report): string {
  if (causes.length === 0) return "";
  const rows = causes.map((cause) => {
    const { class: failure, reason, num_shards, objects, at_least } = cause;
    const amount = `${formatCount(objects)}${at_least ? " or more" : ""}`;
    return rowHtml([
      ...[textCell(failure), textCell(reason, "wide"), numberCell(objects, amount), numberCell(num_shards)],
      textCell(causeWords(cause).mend, "wide"),
    ]);
  });
  const more = more_causes === 0 ? "" : `<p>and ${formatCount(more_causes)} more</p>`;
  const columns: Column[] = ["class", "reason", { number: "objects" }, { number: "shards" }, "what mends it"];
  return `<section><h2>Why objects failed</h2>${tableHtml.start("causes", columns)}${rows.join("")}${tableHtml.end}${more}</section>\n`;
}

function throughputHtml({ throughput, shards }: Report): string {
  const { points, bucket_seconds, sampled_shards } = throughput;
  if (points.length === 0 || bucket_seconds === null) return "";
  const values = (pick: (point: (typeof points)[number]) => number) => points.map(pick);
  const data = {
    at: values(({ at }) => Date.parse(at) / 1_000),
    bytes: values((point) => point.bytes_per_second),
    objects: values((point) => point.objects_per_second),
    shards: values((point) => point.shards),
    errors: values((point) => point.errors),
    throttled: values((point) => point.throttled),
  };
  const samples =
    sampled_shards === shards.total
      ? ""
      : ` ${formatCount(sampled_shards)} of ${formatCount(shards.total)} shards have samples; of the others the mean between start and end is shown.`;
  return [
    "<section><h2>Throughput</h2>",
    `<p class="note">What became proven or was on its way, over each ${formatCount(bucket_seconds)} s, in UTC.${samples}</p>`,
    '<div id="plots"><noscript>The plots need JavaScript; no other part of this page does.</noscript></div>',
    `<script type="application/json" id="throughput">${scriptJson(data)}</script></section>\n`,
  ].join("");
}

function shardsHtml({ shard_list }: Report): string {
  const counts = ["proven", "objects", "size", "starts"].map((number) => ({ number }));
  const ends = ["node", "from", "to", "why", "SHA-256"];
  const columns: Column[] = [{ number: "shard" }, "state", ...counts, ...ends];
  const rows = shard_list.map((one) =>
    rowHtml([
      ...[numberCell(one.shard), textCell(one.state, `state ${one.state}`), numberCell(one.proven)],
      ...[numberCell(one.records), numberCell(one.bytes, formatBytes(one.bytes)), numberCell(one.starts)],
      ...[textCell(one.node ?? "", "line"), timeCell(one.started_at), timeCell(one.ended_at)],
      textCell(one.message === null ? "" : `${one.class}: ${one.message}`, "wide"),
      textCell(one.sha256, "digest"),
    ]),
  );
  return `<section><h2>Shards</h2>${tableHtml.start("shards", columns)}${rows.join("")}${tableHtml.end}</section>\n`;
}

function timelineHtml({ timeline, more_timeline }: Report): string {
  const rows = timeline.map((entry) =>
    rowHtml([
      timeCell(entry.at),
      textCell(entry.what),
      textCell(whoWords(entry), "line"),
      textCell(entry.detail, "wide"),
    ]),
  );
  const more = more_timeline === 0 ? "" : `<p>and ${formatCount(more_timeline)} more</p>`;
  return `<section><h2>Timeline</h2>${tableHtml.start("timeline", ["at (UTC)", "what", "who", "detail"])}${rows.join("")}${tableHtml.end}${more}</section>\n`;
}

function listHtml(title: string, rows: readonly Row[]): string {
  const items = rows.map(([name, says]) => `<dt>${nameHtml(name)}</dt><dd>${nameHtml(says)}</dd>`);
  return `<section><h2>${title}</h2><dl>${items.join("")}</dl></section>\n`;
}

function tailHtml(report: Report): string {
  const { digests, warnings, made_at, run_dir, versions } = report;
  const noted = warnings.map((warning) => `<li>${nameHtml(warning)}</li>`).join("");
  return [
    timelineHtml(report),
    shardsHtml(report),
    '<div class="columns">',
    listHtml("Attempts", attemptRows(report)),
    listHtml("Versions", versionRows(report)),
    "</div>",
    listHtml("Asked", askedRows(report)),
    listHtml(
      "Digests (SHA-256)",
      digests.map(({ file, sha256 }) => [file, sha256 ?? "no such file"] as const),
    ),
    noted === "" ? "" : `<section><h2>Warnings</h2><ul>${noted}</ul></section>\n`,
    `</main>\n<footer><p>Made at ${escapeHtml(made_at)} by xfer ${escapeHtml(versions.xfer.report)} of the run directory ${nameHtml(run_dir)}.</p>`,
    `<details><summary>The plots are drawn by uPlot; its license</summary><pre>${escapeLicense(plotLicense)}</pre></details></footer>\n`,
    `<script>${elementText(plotScript)}</script>\n<script>${elementText(pageScript)}</script>\n</body>\n</html>\n`,
  ].join("");
}

/** A license with its line breaks. */
const escapeLicense = (text: string): string => text.split("\n").map(escapeHtml).join("\n");
