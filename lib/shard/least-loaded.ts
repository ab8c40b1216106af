/**
 * The shards by load, the least first, and among equal loads the lower number first. The caller changes the loads, and may
 * only raise them: a changed load is noticed when its shard comes to the top.
 */
export class LeastLoaded {
  readonly #loads: Float64Array;
  readonly #keys: Float64Array;
  readonly #heap: Int32Array;
  #size: number;

  constructor(loads: Float64Array) {
    this.#loads = loads;
    this.#keys = loads.slice();
    this.#heap = Int32Array.from(loads.keys());
    this.#size = loads.length;
    for (let i = (this.#size >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  /** The least loaded shard that is not full, or undefined when all are full. A full shard is dropped for good. */
  least(isFull: (shard: number) => boolean): number | undefined {
    while (this.#size > 0) {
      const shard = this.#heap[0] as number;
      if (isFull(shard)) {
        this.#heap[0] = this.#heap[--this.#size] as number;
      } else if (this.#keys[shard] === this.#loads[shard]) {
        return shard;
      } else {
        this.#keys[shard] = this.#loads[shard] as number;
      }
      this.#sink(0);
    }
    return undefined;
  }

  #before(a: number, b: number): boolean {
    const difference = (this.#keys[a] as number) - (this.#keys[b] as number);
    return difference === 0 ? a < b : difference < 0;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const shard = heap[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#before(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.#before(heap[child] as number, shard)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    if (this.#size > 0) heap[at] = shard;
  }
}
