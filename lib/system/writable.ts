import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errnoOf } from "./errors.ts";

/**
 * Why nothing can be written into a folder that is there or is to be made, or undefined when something can, as far as a look
 * at it tells.
 */
export function folderProblem(path: string): string | undefined {
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
