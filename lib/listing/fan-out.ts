import { joinPrefix } from "./prefix.ts";

/** A level of the tree. Below it, each prefix can be listed by itself. */
export interface Level {
  prefix: string;
  /** The names of the prefixes directly below it, as rclone lists them. */
  names: readonly string[];
  /** rclone's message when it left an entry out of this level. */
  dropped: string | undefined;
}

/** The most parts of a listing, since each may take an rclone of its own. */
export const partsMax = 2_048;

/**
 * Names that rclone may show otherwise than the store has them. rclone has stand-ins for characters that a backend cannot
 * hold: symbols of control characters, full-width forms, the quote U+201B
 * (https://rclone.org/overview/#restricted-filenames). As a part of a root, such a name can stand for another prefix, of which
 * rclone then lists nothing, without an error.
 */
const unsafeName = /[\x00-\x1f\x7f\u2400-\u2426\u201b\uff00-\uffef\ufffd]|^\.{0,2}$|\//u;

/**
 * Why a level may not be split, or undefined when it may be, without a loss. A level that is not split is listed in one
 * piece, as by a serial listing.
 */
export function splitProblem(level: Level, partsLeft: number): string | undefined {
  if (level.dropped !== undefined) return `it has keys that fit no directory tree (${level.dropped})`;
  const odd = level.names.find((name) => unsafeName.test(name));
  if (odd !== undefined) return `it has a prefix that cannot be listed by its name: ${JSON.stringify(odd)}`;
  const seen = new Set(level.names);
  if (seen.size < level.names.length) return "it has two prefixes of one name";
  if (level.names.length > partsLeft) {
    return `it has ${level.names.length} prefixes, and a listing has at most ${partsMax} parts`;
  }
  return undefined;
}

/** The prefixes directly below a level. */
export function prefixesOf(level: Level): string[] {
  return level.names.map((name) => joinPrefix(level.prefix, name));
}
