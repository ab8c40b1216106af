import { untransferablePath } from "../../lib/manifest/untransferable.ts";
import type { Account } from "../../lib/run/account.ts";
import type { FailureCause } from "../../lib/run/causes.ts";
import { runLayout } from "../../lib/run/layout.ts";
import type { RunProgress } from "../../lib/run/snapshot.ts";
import type { RunHindrance } from "../../lib/run/state/hindrance.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatEta,
  formatObjects,
  formatPercent,
  formatRate,
  formatShards,
} from "../../lib/system/units.ts";
import { causeLines } from "./causes.ts";
import type { LinePart } from "./live-line.ts";
import { amountRow } from "./table.ts";

/** A run under way in one line, and what in it must be seen at once. Its bytes are those that are there or on their way. */
export function progressLine(
  { account, bytesInFlight, bytesPerSecond, etaSeconds, hindrance, throttling }: RunProgress,
  nowMs: number,
): { parts: LinePart[]; news: string } {
  const { listed, copied, unchanged, shards } = account;
  const objects = copied.objects + unchanged.objects;
  const bytes = copied.bytes + unchanged.bytes + bytesInFlight;
  const part = (weight: number, text: string): LinePart => ({ weight, text });
  const parts = [
    part(9, listed.bytes > 0 ? formatPercent(bytes, listed.bytes) : formatPercent(objects, listed.objects)),
    part(6, `${formatCount(objects)}/${formatCount(listed.objects)} objects`),
    part(3, `${formatBytes(bytes)}/${formatBytes(listed.bytes)}`),
    part(5, formatRate(bytesPerSecond)),
    part(7, `ETA ${formatEta(etaSeconds)}`),
    part(shards.failed > 0 ? 4 : 2, shardsText(account)),
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

/** How many shards have ended, and the classes of what has failed. */
function shardsText({ shards, errors }: Pick<Account, "shards" | "errors">): string {
  const text = `shards ${formatCount(shards.done)}/${formatCount(shards.total)} done, ${formatCount(shards.failed)} failed`;
  return shards.failed === 0
    ? text
    : `${text} (${[...new Set(errors.map((error) => error.class))].join(", ")})`;
}

/** The account of a run as a table for people, with the reason of each failure said once. */
export function accountText(account: Account, runDir: string, causes: readonly FailureCause[] = []): string {
  const lines = [amountRow("listed", account.listed), amountRow("copied", account.copied)];
  if (account.unchanged.objects > 0) lines.push(amountRow("unchanged", account.unchanged));
  lines.push(amountRow("failed", account.failed), ...causeLines(causes, runDir));
  if (account.unfinished.objects > 0) lines.push(amountRow("unfinished", account.unfinished));
  if (account.untransferable.objects > 0) {
    lines.push(amountRow("untransferable", account.untransferable));
    lines.push(`  named in ${untransferablePath(runLayout(runDir).manifest)}`);
  }
  for (const warning of account.warnings) lines.push(`warning: ${warning}`);
  lines.push(`run directory: ${runDir}`);
  return `${lines.join("\n")}\n`;
}

/** That shards have failed, in one line; undefined when none has. */
export function failedText({ shards, failed }: Account, failedShards: number): string | undefined {
  if (failedShards === 0) return undefined;
  const of = `${formatCount(failedShards)} of ${formatShards(shards.total)} failed`;
  return failed.objects === 0 ? of : `${of}: ${formatObjects(failed.objects)} not proven`;
}
