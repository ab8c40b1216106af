import { existsSync, readFileSync } from "node:fs";
import type { RunLayout } from "../run/layout.ts";
import { invalidInput, messageOf, operationFailed } from "../system/errors.ts";
import { runProgram } from "../system/process.ts";

/** How starting a run's binary on this host went. */
export interface TriedStart {
  path: string;
  /** Whether it is the run directory's own copy. Otherwise it is a path on the cluster, which only the nodes may see. */
  isCopy: boolean;
  exists: boolean;
  /** Undefined when the binary ran to its end and ended with 0. */
  failure: { text: string; denied: boolean } | undefined;
}

/**
 * What follows for a submission:
 *
 * | the binary | starts here | is not there | may not be executed | does not run |
 * |---|---|---|---|---|
 * | bin/xfer | submit | refuse | refuse | refuse |
 * | of --agent-path | submit | submit: the nodes may see it | refuse | warn: the nodes may be of another kind than this host |
 */
export function agentVerdict({ path, isCopy, exists, failure }: TriedStart): {
  refuse?: string;
  warn?: string;
} {
  if (!exists) {
    return isCopy ? { refuse: `${path}: no such file: render the run again` } : {};
  }
  if (failure === undefined) return {};
  if (failure.denied) {
    return {
      refuse:
        `${path} cannot be executed (mounted noexec, or without the right to): nothing was submitted: ` +
        "use a run directory on another file system, or render with --agent-path and an xfer that can be executed",
    };
  }
  const text = `${path} does not run on this host: ${failure.text}`;
  if (!isCopy) return { warn: `${text}; it must on the compute nodes` };
  return {
    refuse: `${text}: nothing was submitted: render with the xfer of this cluster, or with --agent-path`,
  };
}

/**
 * Starts the binary of a run once, before an array of tasks would. A noexec mount, a binary for another machine and a C
 * library that is too old show themselves here. Returns a warning, if there is one. Throws when the tasks could not start.
 */
export async function checkAgent(run: RunLayout): Promise<string | undefined> {
  const tried = await tryAgent(run);
  const { refuse, warn } = agentVerdict(tried);
  if (refuse === undefined) return warn;
  throw tried.exists ? operationFailed(refuse) : invalidInput(refuse);
}

/** Starts the binary of a run once on this host. */
export async function tryAgent(run: RunLayout): Promise<TriedStart> {
  const isCopy = !existsSync(run.agentPath);
  const path = isCopy ? run.binary : readFileSync(run.agentPath, "utf8").trimEnd();
  const exists = existsSync(path);
  return { path, isCopy, exists, failure: exists ? await startFailure(path) : undefined };
}

const startTimeoutMs = 60_000;

async function startFailure(path: string): Promise<TriedStart["failure"]> {
  // The batch script starts it the same way. The shell's exit code tells what execve(2) said: 126 for a binary that may not
  // or cannot be executed, 127 for one that is not found.
  const result = await runProgram(["sh", "-c", 'exec "$0" --version', path], { timeoutMs: startTimeoutMs });
  if (result.code === 0) return undefined;
  const said = result.stderr.trim().replace(/\s*\n\s*/g, "; ") || `exit code ${result.code}`;
  return {
    text: messageOf(said).slice(0, 400),
    denied: result.code === 126 && /permission denied/i.test(said),
  };
}
