import { untransferablePath } from "../../lib/manifest/untransferable.ts";
import type { Account, Amount } from "../../lib/run/account.ts";
import { runLayout } from "../../lib/run/layout.ts";
import type { RunProgress } from "../../lib/run/snapshot.ts";
import type { RunHindrance } from "../../lib/run/state/hindrance.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatEta,
  formatPercent,
  formatRate,
} from "../../lib/system/units.ts";
import type { LinePart } from "./live-line.ts";

/** A run in mid-flight in one line, and what in it must be seen at once. */
export function progressLine(
  { account, bytesPerSecond, etaSeconds, hindrance, throttling }: RunProgress,
  nowMs: number,
): { parts: LinePart[]; news: string } {
  const { listed, copied, unchanged, shards } = account;
  const objects = copied.objects + unchanged.objects;
  const bytes = copied.bytes + unchanged.bytes;
  const part = (weight: number, text: string): LinePart => ({ weight, text });
  const parts = [
    part(9, listed.bytes > 0 ? formatPercent(bytes, listed.bytes) : formatPercent(objects, listed.objects)),
    part(6, `${formatCount(objects)}/${formatCount(listed.objects)} objects`),
    part(3, `${formatBytes(bytes)}/${formatBytes(listed.bytes)}`),
    part(5, formatRate(bytesPerSecond)),
    part(7, `ETA ${formatEta(etaSeconds)}`),
    part(
      shards.failed > 0 ? 4 : 2,
      `shards ${formatCount(shards.done)}/${formatCount(shards.total)} done, ${formatCount(shards.failed)} failed`,
    ),
  ];
  const throttled = throttling === null ? undefined : throttlingText(throttling);
  if (throttled !== undefined) parts.push(part(8, throttled));
  if (hindrance) parts.push(part(8, hindranceLine(hindrance, nowMs)));
  return { parts, news: hindrance?.message ?? (throttled === undefined ? "" : "throttled") };
}

function hindranceLine({ message, sinceMs, nextPassMs }: RunHindrance, nowMs: number): string {
  const since = `${message}, since ${formatDuration((nowMs - sinceMs) / 1000)}`;
  if (nextPassMs === undefined || nextPassMs <= nowMs) return since;
  return `${since}; next pass in ${formatDuration((nextPassMs - nowMs) / 1000)}`;
}

/** What a store refuses. */
function throttlingText(throttling: NonNullable<RunProgress["throttling"]>): string {
  const { refused, requests, transfers, wanted } = throttling;
  const percent = requests > 0 ? Math.round((100 * refused) / requests) : 0;
  return `throttled: ${percent}% of requests refused, transfers ${transfers} of ${wanted}`;
}

/** The account of a run as a table for people. */
export function accountText(account: Account, runDir: string): string {
  const row = (name: string, { objects, bytes }: Amount) =>
    `${name.padEnd(14)}${formatCount(objects).padStart(12)} objects${formatBytes(bytes).padStart(13)}`;
  const lines = [row("listed", account.listed), row("copied", account.copied)];
  if (account.unchanged.objects > 0) lines.push(row("unchanged", account.unchanged));
  lines.push(row("failed", account.failed));
  if (account.unfinished.objects > 0) lines.push(row("unfinished", account.unfinished));
  if (account.untransferable.objects > 0) {
    lines.push(row("untransferable", account.untransferable));
    lines.push(`  named in ${untransferablePath(runLayout(runDir).manifest)}`);
  }
  for (const { path, class: failure, message, shard } of account.errors) {
    lines.push(`  shard ${shard}: ${failure}: ${path === "" ? "" : `${path}: `}${message}`);
  }
  for (const warning of account.warnings) lines.push(`warning: ${warning}`);
  lines.push(`run directory: ${runDir}`);
  return `${lines.join("\n")}\n`;
}
