import { existsSync } from "node:fs";
import { findBeforeListing, settleFailures } from "../../lib/launch/before-submit.ts";
import { checkRequest } from "../../lib/launch/check-request.ts";
import { requireImageHere } from "../../lib/launch/image-check.ts";
import type { ListingSetup } from "../../lib/listing/request.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { arrayPasswordProblem, requireConfPassword } from "../../lib/rclone/conf-password.ts";
import { isLocal, localEnds } from "../../lib/rclone/local-ends.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkImage } from "../../lib/rclone/reach.ts";
import { checkRoot } from "../../lib/rclone/root-check.ts";
import { sortUserFlags } from "../../lib/rclone/user-flags.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { findProgram } from "../../lib/system/process.ts";
import { checkRcloneConfig, requireListingPassword } from "../flags/checks.ts";
import { listRootOf } from "../flags/listing.ts";
import { lookForBucketFirst, sayPreserved } from "../view/start-words.ts";
import type { RunInput } from "./flags.ts";
import type { RunOptions } from "./options.ts";

/** The roots of a run, where they were given, and whether the source is still to be listed. */
interface Ends {
  source: string | undefined;
  /** The root that is listed in place of the source. */
  list: string | undefined;
  dest: string | undefined;
  listsHere: boolean;
}

/** Looks at image, rclone.conf and roots. Throws invalid input for what cannot be right. */
export function checkEnds(options: RunOptions, input: RunInput): Ends {
  const { runtime, delta } = options;
  const local = options.executor === "local";
  const conf = input["rclone-config"];
  checkImage(runtime, input["rclone-image"], "--executor local, to copy on this machine");
  const listsHere = !existsSync(options.manifest);
  checkRcloneConfig(conf, runtime === "host" && (local || listsHere || delta));
  if (listsHere || delta) requireListingPassword(input, runtime);
  checkAgentsPassword(options);
  // Without a file named, the agents of an array have the default one of where they run.
  const context = local || conf !== undefined ? remoteContext(conf, runtime) : undefined;
  const source = options.source && checkRoot("--source", options.source, context);
  const dest = options.dest && checkRoot("--dest", options.dest, context);
  if (source && dest) {
    requireApart(
      { source: { name: "--source", root: source }, dest: { name: "--dest", root: dest } },
      remoteContext(conf, runtime),
    );
  }
  const list = listsHere ? listRootOf(input["list-root"], source, context) : undefined;
  return { source, list, dest, listsHere };
}

/** Throws, or warns of a run that is not submitted yet, when the agents could not read their rclone.conf. */
function checkAgentsPassword({ executor, runtime, render, submits }: RunOptions): void {
  const use = { configPath: render.rclone.configPath, runtime, flags: render.rcloneFlags };
  if (executor === "local") requireConfPassword(use);
  const problem = executor === "local" ? undefined : arrayPasswordProblem(use);
  if (problem === undefined) return;
  if (submits) throw invalidInput(problem);
  log.warn(problem);
}

/** Looks at all else that can be known before the source is listed, and says what the user should know of it. */
export async function checkRun(options: RunOptions, ends: Ends): Promise<void> {
  const { render, submits } = options;
  const local = options.executor === "local";
  // The agents of an array have another environment.
  if (local) sortUserFlags(render.rcloneFlags, process.env);
  if (local && ends.dest !== undefined) requireSync(ends.dest, render.rclone.configPath, options.runtime);
  const notes = await checkRequest(render, ends);
  if (options.imageCheck && (local || submits || ends.listsHere || options.delta)) {
    requireImageHere(render.rclone.runtime, render.rclone.image);
  }
  if (submits) {
    findProgram("sbatch");
    settleFailures(await findBeforeListing(render.slurm), options.force);
  }
  for (const note of notes) log.warn(note);
}

/** What is copied to this host is brought onto stable storage by sync(1): without it no copy would count. */
function requireSync(dest: string, conf: string | undefined, runtime: RunOptions["runtime"]): void {
  if (!isLocal(localEnds(dest, remoteContext(conf, runtime)))) return;
  // Whoever lacks both wants rclone first.
  if (runtime === "host") findProgram("rclone");
  findProgram("sync");
}

/** Before the source is listed: says what is preserved, and looks for the destination's bucket where rclone runs here. */
export async function startListing(
  { runtime, render }: RunOptions,
  lister: ListingSetup,
  ends: { source: string; dest: string },
): Promise<void> {
  const { given } = sortUserFlags(render.rcloneFlags, process.env);
  const context = remoteContext(lister.configPath, runtime, given);
  sayPreserved(ends, context, render);
  if (runtime === "host") await lookForBucketFirst(lister, ends.dest, context, render);
}
