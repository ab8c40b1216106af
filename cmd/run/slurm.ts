import { submitRun } from "../../lib/launch/submit.ts";
import { type ExitCode, exitCodes } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { readyJson, readyText, verifyLaterText } from "../view/launched.ts";
import { printJson, printText } from "../view/print.ts";
import type { RunOptions } from "./options.ts";
import { isWhole } from "./whole.ts";

/** Submits a run that is rendered, or says how. With nothing to copy it ends there. */
export async function runOnSlurm(
  options: RunOptions,
  hasShards: boolean,
  stop: AbortSignal,
): Promise<ExitCode> {
  const { runDir, json } = options;
  const jobId =
    options.submits && hasShards
      ? await submitRun(runDir, { now: new Date(), imageCheck: options.imageCheck, stop })
      : null;
  if (json) await printJson(readyJson(runDir, jobId));
  else if (hasShards) await printText(readyText(runDir, jobId));
  if (hasShards && options.verifies) log.info(verifyLaterText(runDir));
  return hasShards || (await isWhole(options)) ? exitCodes.done : exitCodes.failed;
}
