/**
 * A counter that never falls, made of counts that shards keep. A count may begin anew, as that of an attempt does with the
 * next one; `epoch` tells which it is. A count that falls within one epoch was read wrong: it adds nothing until it is above
 * what it was.
 *
 * | epoch | count | adds |
 * |---|---|---|
 * | another, or the first | any | all of it |
 * | the same | more than before | the difference |
 * | the same | as before, or less | nothing |
 */
export class GrowingTotal {
  #total = 0;
  readonly #known = new Map<number, { epoch: string; count: number }>();

  get total(): number {
    return this.#total;
  }

  /** Takes a shard's count as it is at this time. */
  see(shard: number, epoch: string, count: number): void {
    const known = this.#known.get(shard);
    const before = known?.epoch === epoch ? known.count : 0;
    if (known?.epoch === epoch && count <= before) return;
    this.#total += count - before;
    this.#known.set(shard, { epoch, count });
  }
}
