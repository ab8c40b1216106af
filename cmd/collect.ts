import { resolve } from "node:path";
import type { ChecksumMode } from "../lib/compare/verify-rule.ts";
import { readReport } from "../lib/operate/report/report.ts";
import { noteEvent } from "../lib/run/events.ts";
import { runLayout } from "../lib/run/layout.ts";
import { currentArrayTask } from "../lib/slurm/array-task.ts";
import { writeWhole } from "../lib/system/durable.ts";
import { type ExitCode, exitCodes, messageOf } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { quoteWord } from "../lib/system/shell-words.ts";
import { proveRun } from "../lib/verify/prove-run.ts";
import type { Verification } from "../lib/verify/verification.ts";
import { version } from "../package.json" with { type: "json" };
import { printText } from "./view/print.ts";
import { writeReportMarkdown } from "./view/report/markdown.ts";
import { verdictText, verificationText } from "./view/verification.ts";

/** What the last job of a run adds up, and how strictly its exit code judges it. */
export interface CollectOptions {
  runDir: string;
  checksum: ChecksumMode;
  allowsUntransferable: boolean;
}

/**
 * What the last job of a run does: it writes verify.json and report.md, and tells the verdict in its log. The exit code says
 * whether all is verified.
 */
export async function collectInQueue(options: CollectOptions): Promise<ExitCode> {
  const { runDir, checksum } = options;
  const { signal: stop } = watchForStop([...stopSignals, "SIGUSR1"]);
  const result = await proveRun({
    ...{ runDir, checksum, downloadSample: 0, listParallel: 1, version, now: new Date(), stop },
    onProgress: () => {},
  });
  noteVerified(runDir, result);
  await printText(verificationText(result, runDir));
  await reportInQueue(runDir);
  return verifiedCode(result, options.allowsUntransferable);
}

/** Writes report.md, as xfer report does. The verdict stands without it: a failure is a warning. */
async function reportInQueue(runDir: string): Promise<void> {
  const path = runLayout(runDir).report;
  try {
    const report = await readReport({ runDir: resolve(runDir), version, now: new Date() });
    await writeWhole(path, (file) => writeReportMarkdown(report, async (text) => file.writeText(text)));
    await printText(`${path}: the report\n`);
  } catch (error) {
    log.warn(
      `${path} was not written: ${messageOf(error)}; xfer report --run-dir ${quoteWord(runDir)} tells it`,
    );
  }
}

/** Notes in events.jsonl that a run was compared, and what came of it. */
export function noteVerified(runDir: string, result: Verification): void {
  const job = currentArrayTask(process.env)?.arrayJobId;
  noteEvent(runLayout(runDir), {
    ...{ action: "verified", jobs: job === undefined ? [] : [job], detail: verdictText(result) },
    now: new Date(),
  });
}

/** The exit code of a verification. */
export function verifiedCode(
  { verified, untransferable }: Verification,
  allowsUntransferable: boolean,
): ExitCode {
  const isWhole = untransferable.objects === 0 || allowsUntransferable;
  return verified && isWhole ? exitCodes.done : exitCodes.failed;
}
