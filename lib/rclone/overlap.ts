import { readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { invalidInput } from "../system/errors.ts";
import { localStore, namesOf, type Overlap, overlapOf, type Place, placesOf } from "./places.ts";
import type { RemoteContext } from "./remote-options.ts";

/** The two roots of a copy, each with the name of the flag or file that gives it. */
interface NamedRoots {
  source: { name: string; root: string };
  dest: { name: string; root: string };
}

const why: Readonly<Record<Overlap, (ends: { source: string; dest: string }) => string>> = {
  same: ({ source, dest }) => `${dest} is the same place as ${source}: there is nothing to copy`,
  "dest-inside": ({ source, dest }) =>
    `${dest} lies inside ${source}: what is copied would itself be part of the source`,
  "source-inside": ({ source, dest }) =>
    `${source} lies inside ${dest}: a copy could overwrite what is yet to be copied`,
};

/**
 * Throws invalid input, naming both roots, when source and destination share data: under one name, through symbolic links
 * and bind mounts of this host, or through remotes that wrap one another. rclone calls these overlapping remotes.
 */
export function requireApart({ source, dest }: NamedRoots, context: RemoteContext): void {
  const mounts = readMounts();
  const overlap = overlapOf(
    placesOf(source.root, context, "source").map((place) => realPlace(place, mounts)),
    placesOf(dest.root, context, "dest").map((place) => realPlace(place, mounts)),
  );
  if (overlap === undefined) return;
  const shown = ({ name, root }: NamedRoots["source"]) => `${name} ${root}`;
  throw invalidInput(
    `${why[overlap]({ source: shown(source), dest: shown(dest) })}: choose roots that do not overlap`,
  );
}

/** A mounted file system. */
interface MountedAt {
  point: string;
  device: string;
  /** The folder of the device that is mounted at the point. */
  folder: string;
}

/** The place of a path in its file system, which is the same for all links and mounts that lead to it. */
function realPlace(place: Place, mounts: readonly MountedAt[]): Place {
  if (place.store !== localStore) return place;
  const path = realPath(`/${place.names.join("/")}`);
  const mount = mounts.find(({ point }) => point === "/" || path === point || path.startsWith(`${point}/`));
  if (!mount) return { ...place, names: namesOf(path) };
  const names = namesOf(join(mount.folder, relative(mount.point, path)));
  return { ...place, store: `${localStore} ${mount.device}`, names };
}

/** The path without symbolic links, as far as its folders are there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), path.slice(parent.length));
  }
}

/** The mounts of this process. The deepest come first, and of several at one point the last. None without /proc. */
function readMounts(): MountedAt[] {
  let text: string;
  try {
    text = readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return [];
  }
  const unescaped = (field = "") =>
    field.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
  const mounts = text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [, , device = "", folder, point] = line.split(" ");
      return { device, folder: unescaped(folder), point: unescaped(point) };
    });
  return mounts.reverse().sort((one, other) => other.point.length - one.point.length);
}
