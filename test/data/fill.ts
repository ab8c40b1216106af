import { controlNames, hostileNames } from "./hostile-names.ts";

/** A seeded source of numbers: the same data set on every machine (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `size` bytes that do not repeat, from a seeded source. */
function seededBytes(size: number, random: () => number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  // The state runs on in the buffer: tens of MB have to take no time.
  let state = Math.floor(random() * 0xffffffff) | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** One object of a data set. */
export interface SampleObject {
  key: string;
  body: Uint8Array;
  mtime: Date;
}

/**
 * A data set as users have them: `count` objects of 0 bytes to some tens of MB in nested prefixes, hostile names among
 * them. `largestBytes` caps the few large ones.
 */
export function* sampleObjects(count: number, largestBytes: number): Generator<SampleObject> {
  const random = seededRandom(20261122);
  const hostile = [...hostileNames(), ...controlNames];
  const base = Date.UTC(2025, 0, 1);
  for (let i = 0; i < count; i++) {
    const special = hostile[i];
    const key =
      special ??
      `set-${i % 7}/run-${i % 31}/${i % 3 === 0 ? "deep/er/" : ""}object-${String(i).padStart(5, "0")}.dat`;
    const roll = random();
    let size = Math.floor(20_000 * random() ** 3);
    if (roll < 0.03) size = 0;
    else if (roll > 0.998) size = Math.floor(largestBytes * (0.5 + random() / 2));
    else if (roll > 0.98) size = Math.floor(1_000_000 * random());
    if (i === count - 1) size = largestBytes;
    yield { key, body: seededBytes(size, random), mtime: new Date(base + i * 60_000 + 123) };
  }
}
