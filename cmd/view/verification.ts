import type { Account } from "../../lib/run/account.ts";
import type { FailureCause } from "../../lib/run/causes.ts";
import { formatCount } from "../../lib/system/units.ts";
import type { RunVerification } from "../../lib/verify/after-run.ts";
import type { Verification } from "../../lib/verify/verification.ts";
import { amountRow } from "./table.ts";

/** A verification as a table for people. */
export function verificationText(result: Verification, runDir: string): string {
  const row = (name: string, objects: number) => amountRow(name, { objects });
  const lines = [
    amountRow("listed", result.listed),
    row("hash-proven", result.hash_proven),
    row("size-only", result.size_only),
    row("missing", result.missing),
    row("differs", result.differs),
    ...(result.extra === null ? [] : [row("extra", result.extra)]),
    ...(result.untransferable.objects > 0 ? [amountRow("untransferable", result.untransferable)] : []),
    ...(result.sampled > 0 ? [row("read", result.sampled), row("  differing", result.sampled_differs)] : []),
    ...failureLines(result),
    "metadata          not compared",
    result.verified ? "verified" : `not verified: see ${runDir}/verify.jsonl`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A verification in one line. */
export function verdictText({ verified, ...of }: Verification): string {
  const counts = [
    `${formatCount(of.hash_proven)} by size and MD5`,
    `${formatCount(of.size_only)} by size`,
    `${formatCount(of.missing)} missing`,
    `${formatCount(of.differs)} differing`,
  ].filter((count) => !count.startsWith("0 "));
  return `${verified ? "" : "not "}verified: ${counts.join(", ")}`;
}

/** How a run ends, beside its account. */
export function runVerificationText(
  { verified, verification, notVerified }: RunVerification,
  runDir: string,
): string {
  if (!verification) return `not verified: ${notVerified}\n`;
  if (verified) return `${verdictText(verification)} (${verification.verified_at})\n`;
  const lines = [
    verdictText(verification),
    ...failureLines(verification),
    `all of them are in ${runDir}/verify.jsonl; to list the source anew and copy what differs: xfer run --delta ` +
      "--compare checksum with a new --run-dir",
  ];
  return `${lines.join("\n")}\n`;
}

/** Failures that are named on the screen. */
const failuresShown = 10;

/** The first failures by name; a reason that is that of several is said of the first of them. */
function failureLines({ failures, missing, differs }: Verification): string[] {
  const shown = failures.slice(0, failuresShown);
  const said = new Set<string>();
  const lines = shown.map(({ path, verdict, reason }) => {
    const isSaid = said.has(`${verdict} ${reason}`);
    said.add(`${verdict} ${reason}`);
    return `  ${verdict}: ${path}${isSaid ? "" : `: ${reason}`}`;
  });
  const more = missing + differs - shown.length;
  return more > 0 && shown.length > 0 ? [...lines, `  and ${formatCount(more)} more`] : lines;
}

/** A verification as it is printed: verify.json's content, and where it is. */
export function verificationJson(result: Verification, runDir: string) {
  return { ...result, run_dir: runDir };
}

/** A local run as it is printed: its account, the reasons of what failed, and how the destination compared. */
export function runJson(run: {
  account: Account;
  causes: readonly FailureCause[];
  runDir: string;
  end: RunVerification;
}) {
  const { verified, notVerified, verification } = run.end;
  const how = { run_dir: run.runDir, verified, not_verified: notVerified, verification };
  return { ...run.account, causes: run.causes, ...how };
}
