import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errnoOf, invalidInput } from "./errors.ts";

/**
 * Throws invalid input, naming the flag, when a folder cannot be written to, or cannot be made. Only permissions are looked
 * at, so a later write can fail all the same.
 */
export function requireFolder(flag: string, path: string): void {
  const problem = folderProblem(path);
  if (problem) throw invalidInput(`${flag}: ${problem}`);
}

function folderProblem(path: string): string | undefined {
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is no directory`;
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `${folder} cannot be written (${errnoOf(error)}): choose a place that can be`;
  }
}
