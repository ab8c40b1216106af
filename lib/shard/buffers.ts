/** What all shards together may hold before those are handed over that have got nothing for as many bytes: their run has ended. */
const heldBytesEnough = 8 * 1024 * 1024;
/** What they may hold before the one that has held longest is handed over. */
const heldBytesMax = 32 * 1024 * 1024;
/** A shard's buffer begins with the least and grows by this factor up to the most, at which it is handed over. */
const bufferBytesMin = 4 * 1024;
const bufferBytesMax = 256 * 1024;
const bufferGrowth = 4;

interface Held {
  shard: number;
  buffer: Buffer;
  used: number;
  /** How many bytes all shards had got when this one last got some. */
  addedAt: number;
  /** The size of its next buffer. */
  nextBytes: number;
}

/**
 * Gathers the bytes of many shards into pieces of up to 256 KiB in 32 MiB at most, however many shards there are. Calls
 * `hand` with each piece, which keeps `buffer` until it is given back.
 */
export class ShardBuffers {
  readonly #hand: (shard: number, buffer: Buffer, used: number) => void;
  readonly #shards: Held[];
  /** Shards that hold something, in the order in which they began to. */
  readonly #holding = new Set<Held>();
  readonly #spare = new Map<number, Buffer[]>();
  #heldBytes = 0;
  #addedBytes = 0;

  constructor(numShards: number, hand: (shard: number, buffer: Buffer, used: number) => void) {
    this.#hand = hand;
    this.#shards = Array.from({ length: numShards }, (_, shard) => ({
      shard,
      buffer: nothing,
      used: 0,
      addedAt: 0,
      nextBytes: bufferBytesMin,
    }));
  }

  /** Adds bytes `from` to `to` to a shard. */
  add(shard: number, bytes: Buffer, from: number, to: number): void {
    const held = this.#shards[shard] as Held;
    for (let at = from; at < to; ) {
      if (held.used === held.buffer.length) this.#enlarge(held);
      const taken = Math.min(to - at, held.buffer.length - held.used);
      bytes.copy(held.buffer, held.used, at, at + taken);
      held.used += taken;
      at += taken;
    }
    this.#addedBytes += to - from;
    held.addedAt = this.#addedBytes;
  }

  /** What is left of each shard. */
  takeAll(): readonly { shard: number; buffer: Buffer; used: number }[] {
    return this.#shards;
  }

  /** Takes back a buffer whose piece is done with. */
  giveBack(buffer: Buffer): void {
    const spare = this.#spare.get(buffer.length) ?? [];
    spare.push(buffer);
    this.#spare.set(buffer.length, spare);
  }

  #enlarge(held: Held): void {
    if (held.used === bufferBytesMax) this.#handOver(held);
    const { buffer, used } = held;
    const size = held.nextBytes;
    // Memory that another thread may read.
    held.buffer = this.#spare.get(size)?.pop() ?? Buffer.from(new SharedArrayBuffer(size));
    held.nextBytes = Math.min(bufferBytesMax, size * bufferGrowth);
    this.#heldBytes += size - buffer.length;
    if (used === 0) {
      this.#holding.add(held);
    } else {
      buffer.copy(held.buffer, 0, 0, used);
      this.giveBack(buffer);
    }
    for (const oldest of this.#holding) {
      if (this.#heldBytes <= heldBytesEnough) break;
      if (oldest === held) continue;
      const isIdle = this.#addedBytes - oldest.addedAt > heldBytesEnough;
      if (!isIdle && this.#heldBytes <= heldBytesMax) break;
      this.#handOver(oldest);
      oldest.nextBytes = bufferBytesMin;
    }
  }

  #handOver(held: Held): void {
    const { shard, buffer, used } = held;
    this.#heldBytes -= buffer.length;
    this.#holding.delete(held);
    held.buffer = nothing;
    held.used = 0;
    this.#hand(shard, buffer, used);
  }
}

const nothing = Buffer.from(new SharedArrayBuffer(0));
