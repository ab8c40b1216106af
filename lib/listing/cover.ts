/** A place to list: everything below a prefix, or only the objects directly in it. */
export interface CoverPlace {
  /** A prefix without a slash at its end; empty for the root. */
  prefix: string;
  recursive: boolean;
}

/** The deepest level whose folders are listed one by one. */
const depthMax = 12;

/** Finds a few places whose listings hold all keys of a set. Keys are added one by one, and memory is bounded. */
export class Cover {
  readonly #placesMax: number;
  /** The places of each depth; undefined when they are too many. */
  readonly #byDepth: (Set<string> | undefined)[];

  constructor(placesMax: number) {
    this.#placesMax = placesMax;
    this.#byDepth = Array.from({ length: depthMax + 1 }, () => new Set<string>());
  }

  add(key: string): void {
    const folders = key.split("/").slice(0, -1);
    this.#byDepth.forEach((places, depth) => {
      if (!places) return;
      // A key above this depth needs only its own folder, without the folders in it.
      const recursive = folders.length >= depth;
      places.add(`${recursive ? "r" : "-"}${folders.slice(0, depth).join("/")}`);
      if (places.size > this.#placesMax && depth > 0) this.#byDepth[depth] = undefined;
    });
  }

  /** The places of the deepest level that has not too many: deeper places hold fewer other keys. */
  places(): CoverPlace[] {
    const places = this.#byDepth.findLast((level) => level !== undefined) ?? new Set(["r"]);
    return [...places].map((place) => ({ prefix: place.slice(1), recursive: place.startsWith("r") }));
  }
}
