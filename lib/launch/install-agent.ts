import { constants, copyFileSync, mkdirSync, renameSync, statSync, utimesSync } from "node:fs";
import { dirname } from "node:path";
import type { RunLayout } from "../run/layout.ts";
import { removeIfExists, writeFileDurable } from "../system/durable.ts";
import { writing } from "../system/write-error.ts";

/** The binary that the array runs: a copy of this file at bin/xfer, or a path that is on the cluster already. */
export type AgentSource = { copyOf: string } | { path: string };

/** Puts the agent's binary, or the line that names it, into a run directory. */
export function installAgent(run: RunLayout, agent: AgentSource): void {
  mkdirSync(dirname(run.binary), { recursive: true });
  if ("path" in agent) {
    writeFileDurable(run.agentPath, `${agent.path}\n`);
    removeIfExists(run.binary);
    return;
  }
  const from = statSync(agent.copyOf);
  const there = statSync(run.binary, { throwIfNoEntry: false });
  if (!there || there.size !== from.size || Math.trunc(there.mtimeMs) !== Math.trunc(from.mtimeMs)) {
    // The old file may be running: the new one is written beside it and renamed.
    const temp = `${run.binary}.tmp.${process.pid}`;
    try {
      writing(run.binary, () => copyFileSync(agent.copyOf, temp, constants.COPYFILE_FICLONE));
    } catch (error) {
      removeIfExists(temp);
      throw error;
    }
    utimesSync(temp, from.atime, from.mtime);
    renameSync(temp, run.binary);
  }
  removeIfExists(run.agentPath);
}
