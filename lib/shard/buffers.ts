/**
 * Above this total, a shard that received nothing during the last 8 MiB is handed over: its range of lines is over.
 */
const heldBytesEnough = 8 * 1024 * 1024;
/** Above this total, the shard that has held its bytes longest is handed over. */
const heldBytesMax = 32 * 1024 * 1024;
/** A shard's buffer begins with the least size and grows by this factor. At the most it is handed over. */
const bufferBytesMin = 4 * 1024;
const bufferBytesMax = 256 * 1024;
const bufferGrowth = 4;

interface Held {
  shard: number;
  buffer: Buffer;
  used: number;
  /** How many bytes all shards had received when this one last received some. */
  addedAt: number;
  /** The size of the shard's next buffer. */
  nextBytes: number;
}

/**
 * Gathers the bytes of any number of shards into pieces of up to 256 KiB, in at most 32 MiB. Calls `hand` with each piece,
 * whose `buffer` is not used again until it is given back.
 */
export class ShardBuffers {
  readonly #hand: (shard: number, buffer: Buffer, used: number) => void;
  readonly #shards: Held[];
  /** Shards that hold bytes, in the order in which they began to. */
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

  /** The rest of each shard, which may be empty. */
  takeAll(): readonly { shard: number; buffer: Buffer; used: number }[] {
    return this.#shards;
  }

  /** Takes back the buffer of a piece that nobody needs any more. */
  giveBack(buffer: Buffer): void {
    const spare = this.#spare.get(buffer.length) ?? [];
    spare.push(buffer);
    this.#spare.set(buffer.length, spare);
  }

  #enlarge(held: Held): void {
    if (held.used === bufferBytesMax) this.#handOver(held);
    const { buffer, used } = held;
    const size = held.nextBytes;
    // The memory is shared: another thread reads it.
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
