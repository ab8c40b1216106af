import { linkSync, statSync } from "node:fs";
import { removeIfExists, writeFileDurable } from "./durable.ts";
import { errnoOf } from "./errors.ts";

/**
 * Makes a file of this text if its name is free, and says whether it did: a whole file gets the name by link(2), which one of
 * several takers wins. The token tells this taker from all others. The answer of an NFS server may be lost after it has made
 * the link; the repeated request then finds the name taken, and only the count of links tells that this taker has won.
 */
export function makeIfFree(path: string, token: string, text: string): boolean {
  const own = `${path}.own.${token}`;
  writeFileDurable(own, text);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    return statSync(own).nlink > 1;
  } finally {
    removeIfExists(own);
  }
}
