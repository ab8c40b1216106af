import type { Unlistable } from "./lister-messages.ts";

/** Folders that could not be listed, by their paths: there may be many, and every key is looked up. */
export class HiddenFolders {
  readonly #byPath: ReadonlyMap<string, Unlistable>;

  constructor(folders: readonly Unlistable[]) {
    this.#byPath = new Map(folders.map((folder) => [folder.path, folder]));
  }

  get size(): number {
    return this.#byPath.size;
  }

  /** The folder among these above a key, if there is one. */
  above(key: string): Unlistable | undefined {
    if (this.size === 0) return undefined;
    for (let slash = key.indexOf("/"); slash !== -1; slash = key.indexOf("/", slash + 1)) {
      const folder = this.#byPath.get(key.slice(0, slash));
      if (folder) return folder;
    }
    return undefined;
  }
}
