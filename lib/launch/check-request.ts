import { checkCreateBucket } from "../listing/bucket.ts";
import { remoteContext } from "../rclone/conf.ts";
import { mountsFor } from "../rclone/mounts.ts";
import { checkImage } from "../rclone/reach.ts";
import { notShownText, sortUserFlags } from "../rclone/user-flags.ts";
import { quoteDirective } from "../slurm/batch-script.ts";
import { optionsInHelp, unknownOptions } from "../slurm/sbatch-extras.ts";
import { invalidInput } from "../system/errors.ts";
import { findProgram, runProgram } from "../system/process.ts";
import { requireFolder } from "../system/writable.ts";
import type { RenderOptions } from "./request.ts";

/** What a run is asked to be, as far as it is known before its source is listed. */
type LaunchRequest = Pick<
  RenderOptions,
  "runDir" | "rclone" | "rcloneFlags" | "createBucket" | "slurm" | "agent"
>;

/**
 * Checks all that a run directory is rendered from, and writes nothing, so that a mistake is told before hours of listing.
 * Returns warnings for the user. Throws invalid input for flags, options, paths and folders with which the run could not
 * start, or not be accounted for.
 */
export async function checkRequest(
  request: LaunchRequest,
  roots: { source: string | undefined; dest: string | undefined },
): Promise<string[]> {
  const { rclone, slurm } = request;
  const { notShown } = sortUserFlags(request.rcloneFlags);
  checkImage(rclone.runtime, rclone.image);
  const context = remoteContext(rclone.configPath, rclone.runtime);
  if (roots.dest !== undefined) checkCreateBucket(roots.dest, request.createBucket, context);
  // The mounts themselves are made when rclone starts: here a root that no container can mount is refused.
  mountsFor({
    runtime: rclone.runtime,
    configPath: rclone.configPath,
    confInContainer: rclone.confInContainer,
    readOnly: roots.source === undefined ? [] : [roots.source],
    writable: roots.dest === undefined ? [] : [roots.dest],
    context,
  });
  for (const word of [slurm.jobName, slurm.partition, slurm.timeLimit, slurm.mem, ...slurm.sbatchExtras]) {
    quoteDirective(word);
  }
  await checkPluginOptions(slurm.sbatchExtras);
  if ("path" in request.agent && /[\n\r\0]/.test(request.agent.path)) {
    throw invalidInput("--agent-path: has a line break");
  }
  requireFolder("--run-dir", request.runDir);
  return [notShownText("--rclone-flags", notShown), exportText(slurm.sbatchExtras)].filter(
    (text) => text !== undefined,
  );
}

function exportText(extras: readonly string[]): string | undefined {
  if (!extras.some((word) => /^--export(?:=|$)/.test(word))) return undefined;
  return "--sbatch-extras: --export does nothing where xfer or submit.sh submits: they give --export=NONE";
}

/** Asks this host's sbatch for options that no release of Slurm has: only a plugin can have them. */
async function checkPluginOptions(extras: readonly string[]): Promise<void> {
  const unknown = unknownOptions(extras);
  if (unknown.length === 0) return;
  const here = await optionsHere();
  const name = unknown.find((one) => !here?.has(one));
  if (name === undefined) return;
  const hint = here ? "" : "; if a plugin of your site has it, render where sbatch is";
  throw invalidInput(`--sbatch-extras: sbatch has no option --${name}${hint}`);
}

/** The options of this host's sbatch; undefined where there is none or it does not answer. */
async function optionsHere(): Promise<Set<string> | undefined> {
  try {
    findProgram("sbatch");
    const { code, stdout } = await runProgram(["sbatch", "--help"], { timeoutMs: 30_000 });
    return code === 0 ? optionsInHelp(stdout) : undefined;
  } catch {
    return undefined;
  }
}
