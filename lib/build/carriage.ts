import type { Unlistable } from "../listing/lister-messages.ts";
import type { Addressability } from "../manifest/write-listing.ts";
import { untransferableReason } from "../rclone/addressable.ts";
import { type RootKind, rootKind } from "../rclone/remote.ts";
import { readRemotes } from "../run/remotes.ts";

/** Between which places keys are to be carried. */
interface Places {
  sourceRoot: string;
  destRoot: string;
  configPath: string | undefined;
}

/** What every rclone carries between two roots: which one will copy is not known. */
export function addressabilityOf(places: Places): Addressability {
  const facts = { ...kindsOf(places), version: undefined };
  return (key) => untransferableReason(key, facts);
}

function kindsOf({ sourceRoot, destRoot, configPath }: Places): { source: RootKind; dest: RootKind } {
  const remotes = readRemotes(configPath);
  return {
    source: rootKind(sourceRoot, remotes, process.env),
    dest: rootKind(destRoot, remotes, process.env),
  };
}

/** U+201B: rclone's quote before a character that stands for another. */
const quote = "\u201b";
/** Of more paths with a quote each folder counts as one of two. */
const quotedMax = 10_000;

/** Newer than every rclone that was measured. */
const newest = [1, 999] as const;

/** What the rclone that lists carries; its version is known only when the listing has ended. */
export class Carriage {
  readonly #kinds: { source: RootKind; dest: RootKind };
  #depends = false;
  readonly #quoted = new Set<string>();
  readonly #seen = new Set<string>();

  /** Whether rclone looks into one folder after the other. */
  readonly #walks: boolean;

  constructor(options: Places & { fastList: boolean }) {
    this.#kinds = kindsOf(options);
    this.#walks = this.#kinds.source !== "s3" || !options.fastList;
  }

  /** Why no version carries a key, or undefined when one does. */
  readonly perhaps: Addressability = (key) => {
    const reason = untransferableReason(key, { ...this.#kinds, version: undefined });
    if (reason === undefined) return undefined;
    const best = untransferableReason(key, { ...this.#kinds, version: newest });
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
    return (key) => untransferableReason(key, { ...this.#kinds, version });
  }
}
