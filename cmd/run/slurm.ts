import { submitRun } from "../../lib/launch/submit.ts";
import { watchRun } from "../../lib/operate/watch.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { lastSubmission } from "../../lib/run/submissions.ts";
import { type ExitCode, exitCodes, invalidInput } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { progressLine } from "../view/account.ts";
import { readyJson, readyText, verifyLaterText, watchedText } from "../view/launched.ts";
import { printJson, printText } from "../view/print.ts";
import { endRun, type Surroundings, sayCopied } from "./end.ts";
import type { RunOptions } from "./options.ts";
import { isWhole } from "./whole.ts";

/** Submits a run that is rendered, or says how; waits for its array where that is asked. With nothing to copy it ends. */
export async function runOnSlurm(
  options: RunOptions,
  hasShards: boolean,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { runDir, json } = options;
  const submits = options.submits && hasShards;
  const jobId = submits
    ? await submitRun(runDir, {
        now: new Date(),
        imageCheck: options.imageCheck,
        force: options.force,
        stop: surroundings.stop,
      })
    : null;
  if (options.watches && hasShards) return await watchToEnd(options, jobId, surroundings);
  if (json) await printJson(readyJson(runDir, jobId));
  else if (hasShards) await printText(readyText(runDir, jobId));
  if (hasShards && options.verifies) log.info(verifyLaterText(runDir));
  return hasShards || (await isWhole(options)) ? exitCodes.done : exitCodes.failed;
}

/** Waits for the array that was submitted last, and ends as a run on this machine does. */
async function watchToEnd(
  options: RunOptions,
  submitted: string | null,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { runDir } = options;
  const { live, stop } = surroundings;
  const jobId = submitted ?? lastSubmission(runLayout(runDir));
  if (jobId === undefined) throw invalidInput(`--watch: ${runDir} was not submitted yet: add --submit`);
  log.info(watchedText(jobId));
  const end = await watchRun({
    runDir,
    jobId,
    stop,
    onProgress: (progress) => {
      const { parts, news } = progressLine(progress, Date.now());
      live.update(parts, { news });
    },
  });
  live.clear();
  await sayCopied(options, end);
  return await endRun(options, end, surroundings);
}
