import { basename, isAbsolute, normalize } from "node:path";

/**
 * Where a run directory lies at a cluster: below the run root under the same relative path, which is what a command that is
 * handed over makes of it, too. One that lies outside of this folder has its last name there.
 */
export function farRunDir(runRoot: string, runDir: string): string {
  const path = normalize(runDir).replace(/\/$/, "");
  const isOutside = isAbsolute(path) || path.split("/")[0] === "..";
  return `${runRoot}/${isOutside ? basename(path) : path}`;
}
