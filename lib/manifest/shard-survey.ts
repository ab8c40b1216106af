/** An object that weighs more than this share of the mean shard is large: the plan knows it by itself. */
export const largeShare = 1 / 200;

/** A large object: which record it is, from 0, its weight, and the weight of all records before it. */
export interface LargeObject {
  record: number;
  weight: number;
  before: number;
}

/** What a first pass over a manifest finds. */
export interface ShardSurvey {
  records: number;
  bytes: number;
  weight: number;
  /** In manifest order; every large object, and perhaps lighter ones. */
  large: readonly LargeObject[];
}

/**
 * Gathers a survey record by record. What is large is known only at the end, so it keeps what is large in what it has
 * seen: at most 200 objects a shard, and as many again between two cleanings.
 */
export class SurveyCollector implements ShardSurvey {
  records = 0;
  bytes = 0;
  weight = 0;
  large: LargeObject[] = [];
  readonly #share: number;
  #largeMax: number;

  /** With `numShards` 0 no object is kept as large. */
  constructor(numShards: number) {
    this.#share = numShards === 0 ? Number.POSITIVE_INFINITY : largeShare / numShards;
    this.#largeMax = 1024;
  }

  add(size: number, weight: number): void {
    if (weight > this.weight * this.#share) this.#keep(weight);
    this.records++;
    this.bytes += size;
    this.weight += weight;
  }

  #keep(weight: number): void {
    if (this.large.length >= this.#largeMax) {
      const least = this.weight * this.#share;
      this.large = this.large.filter((object) => object.weight > least);
      this.#largeMax = Math.max(1024, 2 * this.large.length);
    }
    this.large.push({ record: this.records, weight, before: this.weight });
  }
}
