/** An object that weighs more than this share of the mean shard is large. The plan looks at each large object by itself. */
export const largeShare = 1 / 200;

/** A large object: the index of its record, its weight, and the weight of all records before it. */
export interface LargeObject {
  record: number;
  weight: number;
  before: number;
}

/** The length of the columns in one piece of `LargeObjects`. */
const pieceObjects = 16 * 1024;

/** Large objects in the order of the manifest, in columns, since there can be 400 for each shard. */
export class LargeObjects {
  #length = 0;
  readonly #pieces: Float64Array[] = [];

  get length(): number {
    return this.#length;
  }

  add(record: number, weight: number, before: number): void {
    const at = this.#length++ % pieceObjects;
    const index = (this.#length - 1 - at) / pieceObjects;
    let piece = this.#pieces[index];
    if (piece === undefined) {
      piece = new Float64Array(3 * pieceObjects);
      this.#pieces.push(piece);
    }
    piece[at] = record;
    piece[at + pieceObjects] = weight;
    piece[at + 2 * pieceObjects] = before;
  }

  /** Drops all objects that do not weigh more than this. */
  keepAbove(least: number): void {
    const count = this.#length;
    this.#length = 0;
    this.#forEachOf(count, (record, weight, before) => {
      if (weight > least) this.add(record, weight, before);
    });
  }

  /** The objects that weigh more than this. */
  above(least: number): LargeObject[] {
    const found: LargeObject[] = [];
    this.forEach((record, weight, before) => {
      if (weight > least) found.push({ record, weight, before });
    });
    return found;
  }

  forEach(each: (record: number, weight: number, before: number) => void): void {
    this.#forEachOf(this.#length, each);
  }

  #forEachOf(count: number, each: (record: number, weight: number, before: number) => void): void {
    let left = count;
    for (const piece of this.#pieces) {
      const end = Math.min(left, pieceObjects);
      for (let i = 0; i < end; i++) {
        each(piece[i] as number, piece[i + pieceObjects] as number, piece[i + 2 * pieceObjects] as number);
      }
      left -= end;
    }
  }
}

/** The findings of the first reading of a manifest. */
export interface ShardSurvey {
  records: number;
  bytes: number;
  weight: number;
  /** Every large object, and perhaps lighter ones. */
  large: LargeObjects;
}

/**
 * Gathers a survey record by record. Which objects are large is known only at the end. Until then it keeps those that are
 * large among the records so far: at most 200 for each shard, and as many again between two cleanings.
 */
export class SurveyCollector implements ShardSurvey {
  records = 0;
  bytes = 0;
  weight = 0;
  readonly large = new LargeObjects();
  readonly #share: number;
  #largeMax: number;

  /** With 0 shards no object is kept as large. */
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
      this.large.keepAbove(this.weight * this.#share);
      this.#largeMax = Math.max(1024, 2 * this.large.length);
    }
    this.large.add(this.records, weight, this.weight);
  }
}
