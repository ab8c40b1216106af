import type { Report } from "../../../lib/operate/report/schema.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "../../../lib/system/units.ts";
import { escapeHtml, nameHtml } from "./escape.ts";
import { accountRows, proofRows, verdictText, verificationWords } from "./words.ts";

const verdictNames = { proven: "proven", "not-proven": "not proven", unfinished: "not ended" } as const;

/** The head of a report's page: what moved where, how it stands, and how it is proven. */
export function summaryHtml(report: Report): string {
  const { asked, verdict } = report;
  return [
    `<header><p class="verdict ${verdict}">${verdictNames[verdict]}</p><h1>Transfer report</h1>`,
    `<p class="roots"><span>${nameHtml(asked.source_root)}</span> <span aria-label="to">→</span> <span>${nameHtml(asked.dest_root)}</span></p>`,
    `<p class="says">${escapeHtml(verdictText(report))}</p></header>\n`,
    `<div class="cards">${cardsOf(report).map(cardHtml).join("")}</div>\n`,
    `<div class="columns">${proofHtml(report)}${accountHtml(report)}</div>\n`,
  ].join("");
}

type Card = readonly [name: string, says: string, more: string];

function cardsOf({ listed, copied, shards, attempts, proof }: Report): Card[] {
  const { started_at, ended_at } = attempts;
  const seconds =
    started_at === null || ended_at === null ? null : (Date.parse(ended_at) - Date.parse(started_at)) / 1_000;
  const rate = seconds ? copied.bytes / seconds : Number.NaN;
  return [
    ["objects", formatCount(listed.objects), formatBytes(listed.bytes)],
    ["not proven", formatCount(proof.not_proven), `of ${formatCount(listed.objects)} objects`],
    [
      "shards done",
      `${formatCount(shards.done)} of ${formatCount(shards.total)}`,
      `${formatCount(shards.failed)} failed`,
    ],
    ["from first start to last end", formatDuration(seconds), `${formatRate(rate)} copied, on average`],
  ];
}

const cardHtml = ([name, says, more]: Card): string =>
  `<div class="card"><p class="name">${escapeHtml(name)}</p><p class="big">${escapeHtml(says)}</p><p class="more">${escapeHtml(more)}</p></div>`;

/** A bar of all listed objects, parted by how they are proven, and the same as a list. */
function proofHtml(report: Report): string {
  const rows = proofRows(report);
  const all = rows.reduce((sum, { objects }) => sum + objects, 0);
  const parts = rows
    .filter(({ objects }) => objects > 0)
    .map(({ objects, kind }) => `<span class="${kind}" style="flex-grow:${objects / all}"></span>`);
  const items = rows.map(
    ({ name, objects, means, kind }) =>
      `<li><span class="swatch ${kind}"></span><b>${formatCount(objects)}</b> ${escapeHtml(name)}: ${escapeHtml(means)}</li>`,
  );
  return `<section><h2>What is proven, and how</h2><div class="bar" aria-hidden="true">${parts.join("")}</div><ul class="legend">${items.join("")}</ul><p class="note">${nameHtml(verificationWords(report))}</p></section>\n`;
}

function accountHtml(report: Report): string {
  const rows = accountRows(report).map(
    ({ name, objects, bytes }) =>
      `<tr><th scope="row">${name}</th><td class="number">${formatCount(objects)}</td><td class="number">${formatBytes(bytes)}</td></tr>`,
  );
  return `<section><h2>What happened</h2><table class="small"><thead><tr><th scope="col"></th><th scope="col" class="number">objects</th><th scope="col" class="number">size</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>\n`;
}
