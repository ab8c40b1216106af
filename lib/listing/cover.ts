/** A place to list: everything below a prefix, or only the objects directly in it. */
export interface CoverRow {
  /** A prefix without a slash at its end; empty for the root. */
  prefix: string;
  recursive: boolean;
}

/** The deepest level whose folders are listed one by one. */
const depthMax = 12;

/** Finds a few places whose listings hold all keys of a set. Keys are added one by one, and memory is bounded. */
export class Cover {
  readonly #rowsMax: number;
  /** The rows of each depth; undefined when they are too many. */
  readonly #byDepth: (Set<string> | undefined)[];

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
    this.#byDepth = Array.from({ length: depthMax + 1 }, () => new Set<string>());
  }

  add(key: string): void {
    const folders = key.split("/").slice(0, -1);
    this.#byDepth.forEach((rows, depth) => {
      if (!rows) return;
      // A key above this depth needs only its own folder, without the folders in it.
      const recursive = folders.length >= depth;
      rows.add(`${recursive ? "r" : "-"}${folders.slice(0, depth).join("/")}`);
      if (rows.size > this.#rowsMax && depth > 0) this.#byDepth[depth] = undefined;
    });
  }

  /** The rows of the deepest level that are not too many: deeper rows list fewer other keys. */
  rows(): CoverRow[] {
    const rows = this.#byDepth.findLast((level) => level !== undefined) ?? new Set(["r"]);
    return [...rows].map((row) => ({ prefix: row.slice(1), recursive: row.startsWith("r") }));
  }
}
