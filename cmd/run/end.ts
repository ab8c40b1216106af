import type { RunEnd } from "../../lib/launch/run-here.ts";
import { type ExitCode, exitCodes } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { verifyAfterRun } from "../../lib/verify/after-run.ts";
import { version } from "../../package.json" with { type: "json" };
import { accountText, failedText } from "../view/account.ts";
import { causeMessages } from "../view/causes.ts";
import { doingText } from "../view/doing.ts";
import type { LiveLine } from "../view/live-line.ts";
import { printJson, printText } from "../view/print.ts";
import { runJson, runVerificationText } from "../view/verification.ts";
import type { RunOptions } from "./options.ts";
import { isWhole } from "./whole.ts";

/** Where progress is shown, and what ends the run early. */
export interface Surroundings {
  live: LiveLine;
  stop: AbortSignal;
}

/** Says how the copy went: the account, and each reason of a failure once. */
export async function sayCopied({ runDir, json }: RunOptions, end: RunEnd): Promise<void> {
  const { account, causes, failedShards } = end;
  const failed = failedText(account, failedShards);
  if (failed !== undefined) log.error(failed);
  // The account names the reasons; beside JSON, which no person reads, stderr does.
  if (!json) await printText(accountText(account, runDir, causes));
  else for (const message of causeMessages(causes, runDir)) log.error(message);
}

/** Compares the destination with the manifest when all is copied, and says how it went. */
export async function endRun(
  options: RunOptions,
  end: RunEnd,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { runDir, json } = options;
  const { live, stop } = surroundings;
  const result = await verifyAfterRun({
    wanted: options.verifies,
    copied: end.exitCode,
    verify: {
      runDir,
      checksum: "auto",
      downloadSample: 0,
      listParallel: options.listParallel,
      version,
      now: new Date(),
      stop,
      onProgress: (doing, objects) => live.update(doingText(doing, objects)),
    },
  });
  live.clear();
  if (!json) await printText(runVerificationText(result, runDir));
  else await printJson(runJson({ ...end, runDir, end: result }));
  return result.exitCode === exitCodes.done && !(await isWhole(options)) ? exitCodes.failed : result.exitCode;
}
