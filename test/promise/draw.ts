import { seededRandom } from "../data/fill.ts";

/** Draws from a seed: the same seed draws the same round on every machine. */
export class Draw {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  one<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.#random() * list.length)];
    if (item === undefined) throw new Error("there is nothing to draw from");
    return item;
  }

  /** `count` of the list at most, each once, in the list's order. */
  some<T>(list: readonly T[], count: number): T[] {
    const places = new Set<number>();
    while (places.size < Math.min(count, list.length)) places.add(this.whole(0, list.length - 1));
    return list.filter((_, place) => places.has(place));
  }
}

/** The seed of round `index` of a base seed: neighbours have nothing in common. */
export function seedOfRound(base: number, index: number): number {
  return Bun.hash.xxHash32(`${base} ${index}`);
}
