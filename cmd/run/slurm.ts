import { submitRun } from "../../lib/launch/submit.ts";
import { type PipelineJobs, submitPipeline } from "../../lib/launch/submit-proof.ts";
import { waitForJobs, watchRun } from "../../lib/operate/watch.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { lastSubmission, proofJobsAfter } from "../../lib/run/submissions.ts";
import { type ExitCode, exitCodes, invalidInput } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { sayProof } from "../slurm/say-proof.ts";
import { progressLine } from "../view/account.ts";
import { proofAwaitedText, readyJson, readyText, verifyLaterText, watchedText } from "../view/launched.ts";
import { pauseText } from "../view/next-step.ts";
import { printJson, printText } from "../view/print.ts";
import { endRun, type Surroundings, sayCopied } from "./end.ts";
import { runLocal } from "./local.ts";
import type { RunOptions } from "./options.ts";
import { isWhole } from "./whole.ts";

/** Submits a run that is rendered, or says how; waits for its array where that is asked. With nothing to copy it ends. */
export async function runOnSlurm(
  options: RunOptions,
  hasShards: boolean,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { runDir, json } = options;
  // There is no job that could prove it later.
  if (options.verifiesInQueue && !hasShards) return await runLocal(options, undefined, surroundings);
  const { jobId, proof } = options.submits && hasShards ? await submit(options, surroundings) : nothing;
  const isProvable = proof === undefined || sayProof(proof);
  if (options.watches && hasShards) return await watchToEnd(options, jobId, surroundings);
  if (json) await printJson(readyJson(runDir, jobId, proof));
  else if (hasShards) await printText(readyText(runDir, jobId));
  if (hasShards && options.verifies && proof === undefined) log.info(verifyLaterText(runDir));
  return isProvable && (hasShards || (await isWhole(options))) ? exitCodes.done : exitCodes.failed;
}

const nothing = { jobId: null, proof: undefined };

async function submit(
  options: RunOptions,
  { stop }: Surroundings,
): Promise<{ jobId: string; proof: PipelineJobs | undefined }> {
  const { runDir, imageCheck, force, allowsUntransferable } = options;
  const how = { now: new Date(), imageCheck, force, stop, allowsUntransferable };
  if (!options.verifiesInQueue) return { jobId: await submitRun(runDir, how), proof: undefined };
  const proof = await submitPipeline(runDir, { ...how, checksum: "auto" });
  return { jobId: proof.jobId, proof };
}

/** Waits for the array that was submitted last and the jobs that prove it, and ends as a run on this machine does. */
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
    onPause: (pause) => {
      live.clear();
      log.warn(`job ${jobId}: ${pauseText(runDir, pause)}; waiting on`);
    },
  });
  if (end.exitCode === exitCodes.done && options.verifies) {
    const jobIds = proofJobsAfter(runLayout(runDir), jobId);
    if (jobIds.length > 0) live.update(proofAwaitedText(jobIds));
    await waitForJobs(jobIds, { runDir, stop });
  }
  live.clear();
  await sayCopied(options, end);
  return await endRun(options, end, surroundings);
}
