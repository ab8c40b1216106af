/** Up to this many distinct values the count is exact. */
const exactMax = 256;
/** Registers of the estimate: its standard error is 1.04 / sqrt(2,048), 2.3 %. */
const registerBits = 11;
const registers = 1 << registerBits;

/**
 * Counts distinct values by their hashes, in bounded memory. The count is exact up to 256. Beyond that it is the HyperLogLog
 * estimate (Flajolet et al. 2007), with a standard error of 2.3 %.
 */
export class DistinctCounter {
  #exact: Set<number> | undefined = new Set();
  #ranks: Uint8Array | undefined;

  /** Takes note of a value by its hash, an unsigned 32-bit number. */
  add(hash: number): void {
    if (this.#exact) {
      this.#exact.add(hash);
      if (this.#exact.size <= exactMax) return;
      this.#ranks = new Uint8Array(registers);
      for (const earlier of this.#exact) note(this.#ranks, earlier);
      this.#exact = undefined;
    } else if (this.#ranks) note(this.#ranks, hash);
  }

  get count(): number {
    if (this.#exact) return this.#exact.size;
    return this.#ranks ? estimate(this.#ranks) : 0;
  }
}

function note(ranks: Uint8Array, hash: number): void {
  const register = hash >>> (32 - registerBits);
  const rank = Math.min(32 - registerBits, Math.clz32(hash << registerBits)) + 1;
  if (rank > (ranks[register] ?? 0)) ranks[register] = rank;
}

function estimate(ranks: Uint8Array): number {
  let sum = 0;
  let empty = 0;
  for (const rank of ranks) {
    sum += 2 ** -rank;
    if (rank === 0) empty++;
  }
  const raw = ((0.7213 / (1 + 1.079 / registers)) * registers * registers) / sum;
  const linear = raw <= 2.5 * registers && empty > 0;
  return Math.round(linear ? registers * Math.log(registers / empty) : raw);
}
