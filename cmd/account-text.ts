import { untransferablePath } from "../lib/manifest/untransferable.ts";
import type { Account, Amount } from "../lib/run/account.ts";
import { runLayout } from "../lib/run/layout.ts";
import type { RunProgress } from "../lib/run/run-here.ts";
import type { Verification } from "../lib/run/verify.ts";
import { formatBytes, formatCount, formatDuration } from "../lib/system/units.ts";
import type { RunVerification } from "../lib/verify/after-run.ts";

/** A run in mid-flight in one line. */
export function progressText({ account, bytesPerSecond, etaSeconds, throttling }: RunProgress): string {
  const { listed, copied, unchanged, shards } = account;
  const objects = copied.objects + unchanged.objects;
  const bytes = copied.bytes + unchanged.bytes;
  const percent = listed.bytes > 0 ? Math.floor((100 * bytes) / listed.bytes) : 100;
  return (
    `${percent}%  ${throttling === null ? "" : `${throttlingText(throttling)}  `}${formatCount(objects)}/${formatCount(listed.objects)} objects  ` +
    `${formatBytes(bytes)}/${formatBytes(listed.bytes)}  ${formatBytes(bytesPerSecond)}/s  ` +
    `ETA ${formatDuration(etaSeconds)}  shards ${shards.done}/${shards.total} done, ${shards.failed} failed`
  );
}

/** What a store refuses of late, and with how many transfers it is asked. */
export function throttlingText(throttling: NonNullable<RunProgress["throttling"]>): string {
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

/** A verification as a table for people. */
export function verificationText(result: Verification, runDir: string): string {
  const row = (name: string, objects: number) =>
    `${name.padEnd(14)}${formatCount(objects).padStart(12)} objects`;
  const lines = [
    row("listed", result.listed.objects),
    row("hash-proven", result.hash_proven),
    row("size-only", result.size_only),
    row("missing", result.missing),
    row("differs", result.differs),
    ...(result.extra === null ? [] : [row("extra", result.extra)]),
    ...(result.untransferable.objects > 0 ? [row("untransferable", result.untransferable.objects)] : []),
    ...(result.sampled > 0 ? [row("read", result.sampled), row("  differing", result.sampled_differs)] : []),
    ...failureLines(result),
    result.verified ? "verified" : `not verified: see ${runDir}/verify.jsonl`,
  ];
  return `${lines.join("\n")}\n`;
}

/** How a run ends, beside its account. */
export function runVerificationText(
  { verified, verification, notVerified }: RunVerification,
  runDir: string,
): string {
  if (!verification) return `not verified: ${notVerified}\n`;
  const { hash_proven, size_only, missing, differs, verified_at } = verification;
  const counts = [
    `${formatCount(hash_proven)} by size and MD5`,
    `${formatCount(size_only)} by size`,
    `${formatCount(missing)} missing`,
    `${formatCount(differs)} differing`,
  ].filter((count) => !count.startsWith("0 "));
  if (verified) return `verified: ${counts.join(", ")} (${verified_at})\n`;
  const lines = [
    `not verified: ${counts.join(", ")}`,
    ...failureLines(verification),
    `all of them are in ${runDir}/verify.jsonl; to list the source anew and copy what differs: xfer run --delta ` +
      "--compare checksum with a new --run-dir",
  ];
  return `${lines.join("\n")}\n`;
}

/** Failures that are named on the screen. */
const failuresShown = 10;

function failureLines({ failures, missing, differs }: Verification): string[] {
  const shown = failures.slice(0, failuresShown);
  const lines = shown.map(({ path, verdict, reason }) => `  ${verdict}: ${path}: ${reason}`);
  const more = missing + differs - shown.length;
  return more > 0 && shown.length > 0 ? [...lines, `  and ${formatCount(more)} more`] : lines;
}
