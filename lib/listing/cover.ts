/** A place to list in order to see some keys: all below a prefix, or only what lies directly in it. */
export interface CoverRow {
  /** Without a slash at its end; empty for the root. */
  prefix: string;
  recursive: boolean;
}

/** Deeper folders than this are listed from above. */
const depthMax = 12;

/** Finds few places whose listings hold all of some keys, one key at a time and in bounded memory. */
export class Cover {
  readonly #rowsMax: number;
  /** For each depth the rows that it takes, until they are too many. */
  readonly #byDepth: (Set<string> | undefined)[];

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
    this.#byDepth = Array.from({ length: depthMax + 1 }, () => new Set<string>());
  }

  add(key: string): void {
    const folders = key.split("/").slice(0, -1);
    this.#byDepth.forEach((rows, depth) => {
      if (!rows) return;
      // A key that lies higher than this depth needs only its own folder, without what is below.
      const recursive = folders.length >= depth;
      rows.add(`${recursive ? "r" : "-"}${folders.slice(0, depth).join("/")}`);
      if (rows.size > this.#rowsMax && depth > 0) this.#byDepth[depth] = undefined;
    });
  }

  /** The rows of the deepest level that is not too many: the deeper, the less is listed beside the keys. */
  rows(): CoverRow[] {
    const rows = this.#byDepth.findLast((level) => level !== undefined) ?? new Set(["r"]);
    return [...rows].map((row) => ({ prefix: row.slice(1), recursive: row.startsWith("r") }));
  }
}
