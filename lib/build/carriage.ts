import type { Unlistable } from "../listing/lister-messages.ts";
import { untransferableReason } from "../rclone/addressable.ts";
import { readRemotes } from "../rclone/conf.ts";
import { parseRoot, remoteType } from "../rclone/remote-options.ts";
import { type RootKind, rootKind } from "../rclone/root.ts";
import type { Addressability } from "./write.ts";

/** The places between which keys are carried. */
interface Places {
  sourceRoot: string;
  destRoot: string;
  configPath: string | undefined;
}

/**
 * Refuses the keys that no version of rclone carries between two roots. The version that will copy is not known here, and the
 * roots' backends may not be either. The agent that copies asks again, with its own rclone and rclone.conf.
 */
export function addressabilityOf(places: Places): Addressability {
  const kinds = kindsOf(places);
  return (key) => reasonEverywhere(key, kinds, newest);
}

/** The pairs of kinds that source and destination may have. */
type Kinds = readonly { source: RootKind; dest: RootKind }[];

function kindsOf({ sourceRoot, destRoot, configPath }: Places): Kinds {
  const context = { remotes: readRemotes(configPath), env: process.env };
  const kindsOfRoot = (root: string): RootKind[] => {
    const parsed = parseRoot(root);
    const isUnknown = parsed.form === "remote" && remoteType(parsed, context) === undefined;
    return isUnknown ? ["s3", "posix"] : [rootKind(root, context.remotes, context.env)];
  };
  const dests = kindsOfRoot(destRoot);
  return kindsOfRoot(sourceRoot).flatMap((source) => dests.map((dest) => ({ source, dest })));
}

/** Why a key is carried between no pair of these kinds; undefined when it is carried between one of them. */
function reasonEverywhere(
  key: string,
  kinds: Kinds,
  version: readonly [number, number] | undefined,
): string | undefined {
  let first: string | undefined;
  for (const ends of kinds) {
    const reason = untransferableReason(key, { ...ends, version });
    if (reason === undefined) return undefined;
    first ??= reason;
  }
  return first;
}

/** U+201B, which rclone puts before a character that is itself and not a stand-in. */
const quote = "\u201b";
/** Above this many paths with a quote, each folder with one counts as one of two. */
const quotedMax = 10_000;

/** A version that is newer than every rclone that was measured. */
const newest = [1, 999] as const;

/** Tells which keys the rclone that lists carries. Its version is known only when the listing has ended. */
export class Carriage {
  readonly #kinds: Kinds;
  #depends = false;
  readonly #quoted = new Set<string>();
  readonly #seen = new Set<string>();

  /** Whether rclone walks the place folder by folder. */
  readonly #walks: boolean;

  constructor(options: Places & { fastList: boolean }) {
    this.#kinds = kindsOf(options);
    this.#walks = this.#kinds.some(({ source }) => source !== "s3") || !options.fastList;
  }

  /** Why no version carries a key; undefined when one does. */
  readonly perhaps: Addressability = (key) => {
    const reason = reasonEverywhere(key, this.#kinds, undefined);
    if (reason === undefined) return undefined;
    const best = reasonEverywhere(key, this.#kinds, newest);
    if (best === undefined) this.#depends = true;
    return best;
  };

  /**
   * Whether a listed path repeats an earlier one, in a folder whose name has rclone's own quote. rclone shows a folder named
   * U+201B and one named with two of them alike, lists one of them twice, and does not list the other. That folder is noted.
   */
  repeats(path: string): boolean {
    const at = this.#walks ? path.indexOf(quote) : -1;
    const end = at === -1 ? -1 : path.indexOf("/", at);
    if (end === -1) return false;
    const isRepeated = this.#seen.has(path);
    if (isRepeated || this.#seen.size >= quotedMax) this.#quoted.add(path.slice(0, end));
    else this.#seen.add(path);
    return isRepeated;
  }

  /** The names of folders of which rclone has not listed one. */
  quotedFolders(): Unlistable[] {
    return [...this.#quoted].map((path) => ({
      path,
      reason: "rclone shows two folders under this name, and looks into one of them",
    }));
  }

  /** Which keys this version does not carry; undefined when no listed key depends on the version. */
  forVersion(version: readonly [number, number] | undefined): Addressability | undefined {
    if (!this.#depends) return undefined;
    return (key) => reasonEverywhere(key, this.#kinds, version);
  }
}
