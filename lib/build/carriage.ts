import type { Unlistable } from "../listing/lister-messages.ts";
import { untransferableReason } from "../rclone/addressable.ts";
import { readRemotes } from "../rclone/conf.ts";
import { parseRoot, remoteType } from "../rclone/remote-options.ts";
import { type RootKind, rootKind } from "../rclone/root.ts";
import type { Addressability } from "./write.ts";

/** Between which places keys are to be carried. */
interface Places {
  sourceRoot: string;
  destRoot: string;
  configPath: string | undefined;
}

/**
 * What no rclone carries between two roots, as far as these are known here: which rclone will copy is not. What is let
 * pass is asked again by the agent that copies it, with its rclone and its rclone.conf.
 */
export function addressabilityOf(places: Places): Addressability {
  const kinds = kindsOf(places);
  return (key) => reasonEverywhere(key, kinds, newest);
}

/** The kinds that both ends may be. */
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

/** Why a key is carried between no two ends of these kinds, or undefined when it is between some. */
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

/** U+201B: rclone's quote before a character that stands for another. */
const quote = "\u201b";
/** Of more paths with a quote each folder counts as one of two. */
const quotedMax = 10_000;

/** Newer than every rclone that was measured. */
const newest = [1, 999] as const;

/** What the rclone that lists carries; its version is known only when the listing has ended. */
export class Carriage {
  readonly #kinds: Kinds;
  #depends = false;
  readonly #quoted = new Set<string>();
  readonly #seen = new Set<string>();

  /** Whether rclone looks into one folder after the other. */
  readonly #walks: boolean;

  constructor(options: Places & { fastList: boolean }) {
    this.#kinds = kindsOf(options);
    this.#walks = this.#kinds.some(({ source }) => source !== "s3") || !options.fastList;
  }

  /** Why no version carries a key, or undefined when one does. */
  readonly perhaps: Addressability = (key) => {
    const reason = reasonEverywhere(key, this.#kinds, undefined);
    if (reason === undefined) return undefined;
    const best = reasonEverywhere(key, this.#kinds, newest);
    if (best === undefined) this.#depends = true;
    return best;
  };

  /**
   * Whether a listed path repeats one before it in a folder with rclone's own quote: rclone shows folders named U+201B and
   * twice U+201B alike, looks into one of them twice, and says nothing of what is in the other. That one is noted.
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

  /** Folders beside which there is one that was not looked into. */
  quotedFolders(): Unlistable[] {
    return [...this.#quoted].map((path) => ({
      path,
      reason: "rclone shows two folders under this name, and looks into one of them",
    }));
  }

  /** What remains to be asked of this version; undefined when it decides over none of the keys. */
  forVersion(version: readonly [number, number] | undefined): Addressability | undefined {
    if (!this.#depends) return undefined;
    return (key) => reasonEverywhere(key, this.#kinds, version);
  }
}
