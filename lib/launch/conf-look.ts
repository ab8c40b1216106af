import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isPrivateMode } from "../rclone/conf-mode.ts";
import { quoteWord } from "../system/shell-words.ts";
import { type Finding, failure, ok, skipped, warning } from "./finding.ts";

/** An rclone.conf as one host sees it. */
export interface ConfLook {
  path: string;
  state: "missing" | "unreadable" | { mode: string };
  /** Whether it lies, or would lie, on the file system of the run directory, which all nodes see. */
  isShared: boolean;
}

/** Looks at an rclone.conf on this host; its content is not read. */
export function lookAtConf(path: string, runDir: string | undefined): ConfLook {
  const isShared = runDir !== undefined && deviceOf(path) === deviceOf(runDir);
  try {
    const { mode } = statSync(path);
    accessSync(path, constants.R_OK);
    return { path, state: { mode: (mode & 0o7777).toString(8).padStart(4, "0") }, isShared };
  } catch {
    return { path, state: existsSync(path) ? "unreadable" : "missing", isShared };
  }
}

function deviceOf(path: string): number | undefined {
  let known = resolve(path);
  while (!existsSync(known) && dirname(known) !== known) known = dirname(known);
  try {
    return statSync(known).dev;
  } catch {
    return undefined;
  }
}

/**
 * What a look at rclone.conf means for a run:
 *
 * | it is | ends the run | another host than rclone's looked |
 * |---|---|---|
 * | there, and its owner alone can read it | ok | ok |
 * | there, and others can read it | failure | failure |
 * | not there | failure | failure on the file system of the run directory, else skipped |
 * | there, and this user cannot read it | failure | failure |
 */
export function confFinding(
  check: string,
  { path, state, isShared }: ConfLook,
  isElsewhere: boolean,
): Finding {
  if (state === "missing") {
    const text = `${path}: no such file`;
    const mend =
      'put it there with mode 0600 ("rclone config" makes one), or render with another --rclone-config';
    if (!isElsewhere || isShared) return failure(check, text, mend);
    return skipped(check, `${text} here; the compute nodes may see it: --through-srun looks there`);
  }
  if (state === "unreadable")
    return failure(check, `${path} cannot be read`, `chown and chmod 600 ${quoteWord(path)}`);
  if (isPrivateMode(state.mode)) return ok(check, `${path}, mode ${state.mode}`);
  const text = `${path} holds credentials, and others can read it (mode ${state.mode})`;
  return failure(check, text, `chmod 600 ${quoteWord(path)}`);
}

/** The same for a submission, where others being able to read it is told and keeps nothing from working. */
export function confForSubmission(look: ConfLook): Finding {
  const found = confFinding("rclone-conf", look, true);
  const isOpen = found.state === "failure" && typeof look.state === "object";
  return isOpen ? warning(found.check, found.text, found.mend ?? "") : found;
}
