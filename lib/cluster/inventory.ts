import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { travels, type Way } from "../run/travels.ts";
import { errnoOf } from "../system/errors.ts";

/** A file of a run directory as one side has it. */
export interface FileFacts {
  path: string;
  size: number;
  /** Milliseconds since 1970, whole. */
  mtimeMs: number;
}

/** The files of a run directory that go one way, sorted by path. */
export function filesThatTravel(dir: string, way: Way): FileFacts[] {
  const paths = ["", "shards", "state", "logs"].flatMap((folder) =>
    namesIn(join(dir, folder)).map((name) => (folder === "" ? name : `${folder}/${name}`)),
  );
  const found = paths
    .filter((path) => travels(path, way))
    .flatMap((path) => {
      const facts = statSync(join(dir, path), { throwIfNoEntry: false });
      return facts?.isFile() ? [{ path, size: facts.size, mtimeMs: Math.trunc(facts.mtimeMs) }] : [];
    });
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return [];
    throw error;
  }
}

/** The files of `there` that `here` has not, or has with another size or time. */
export function filesToPull(there: readonly FileFacts[], here: readonly FileFacts[]): FileFacts[] {
  const known = new Map(here.map((file) => [file.path, file]));
  return there.filter(({ path, size, mtimeMs }) => {
    const own = known.get(path);
    return own?.size !== size || own.mtimeMs !== mtimeMs;
  });
}
