import { untransferablePath } from "../../lib/manifest/untransferable.ts";
import type { RunStatus } from "../../lib/operate/status.ts";
import { runLayout } from "../../lib/run/layout.ts";
import type { ControlState } from "../../lib/run/state/control.ts";
import { quoteWords } from "../../lib/system/shell-words.ts";
import { formatObjects, formatShards } from "../../lib/system/units.ts";
import { visibleText } from "../../lib/system/visible-text.ts";
import { isForRetry, retryCommand } from "./status-failures.ts";

/** What a run's owner is to do now, in a sentence with the command. */
export function nextText(status: RunStatus): string {
  const { next, run_dir: runDir, shards, jobs, untransferable } = status;
  const line = (...words: string[]) => quoteWords(["xfer", ...words, "--run-dir", runDir]);
  switch (next.kind) {
    case "nothing":
      return "nothing is to be done: every object is proven, and verified at the destination";
    case "verify":
      return `every object is proven; compare the destination: ${line("verify")}`;
    case "wait-for-verification":
      return "nothing is to be done: every object is proven, and the comparison is in the queue";
    case "differs":
      return `the destination differs: ${quoteWords([runLayout(runDir).verifyList])} names each object`;
    case "untransferable": {
      const list = quoteWords([untransferablePath(runLayout(runDir).manifest)]);
      return `${formatObjects(untransferable.objects)} cannot be carried: ${list} names each; rename them, or allow it`;
    }
    case "resume":
      return status.paused ? pauseText(runDir, status.paused) : `paused: ${line("resume")}`;
    case "mend":
      return mendText(status, next);
    case "submit":
      return `nothing was started yet: ${line("slurm", "submit")}`;
    case "release":
      return `its tasks are held in Slurm: ${quoteWords(["scontrol", "release", heldJobs(status)])}`;
    case "start-again": {
      const how = jobs.length > 0 ? line("slurm", "submit") : line("run", "--executor", "local");
      return `${formatShards(shards.stopped)} stopped, and nothing runs: ${how} goes on where it was`;
    }
    case "look-at-nodes":
      return "look at the nodes of the silent agents; Slurm starts a task again when it finds its node down";
    case "look-at-store":
      return "look at the store that the shards wait for; they go on by themselves";
    case "wait":
      return "nothing is to be done: it goes on by itself";
  }
}

/** That a run is paused, by whom and since when, and what lets it go on. */
export function pauseText(runDir: string, { at, by }: Pick<ControlState, "at" | "by">): string {
  return `paused by ${visibleText(by)} since ${visibleText(at)}: ${quoteWords(["xfer", "resume", "--run-dir", runDir])}`;
}

function mendText(
  { run_dir: runDir }: RunStatus,
  { classes, others }: Extract<RunStatus["next"], { kind: "mend" }>,
): string {
  const forRetry = classes.filter(isForRetry);
  const [only] = forRetry;
  const rest = others ? "; the others go on" : "";
  if (only === undefined)
    return `${classes.join(", ")}: list the source anew, in a new run directory, to copy what is there${rest}`;
  const isAll = forRetry.length === classes.length;
  const retry = retryCommand(runDir, isAll ? undefined : only);
  const more = !isAll && forRetry.length > 1 ? `, and so for ${forRetry.slice(1).join(", ")}` : "";
  return `mend what failed (${classes.join(", ")}), then ${retry}${more}${rest}`;
}

const heldJobs = ({ jobs }: RunStatus): string =>
  jobs
    .filter(({ reason }) => /Held/.test(reason ?? ""))
    .map(({ job_id }) => job_id)
    .join(",");
