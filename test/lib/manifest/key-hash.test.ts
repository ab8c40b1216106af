import { expect, test } from "bun:test";
import { KeyHash } from "../../../lib/manifest/key-hash.ts";

test("keys that hardly differ have hashes that are spread over all bits of both words", () => {
  const hash = new KeyHash();
  const keys = 200_000;
  const whole = new Set<string>();
  const [lows, highs] = [new Set<number>(), new Set<number>()];
  for (let i = 0; i < keys; i++) {
    hash.ofKey(`set-1/run-${i % 7}/object-${String(i).padStart(8, "0")}.dat`);
    whole.add(hash.text);
    lows.add(hash.low);
    highs.add(hash.high);
  }
  expect(whole.size).toBe(keys);
  // Of so many random words of 32 bits some five are equal to another.
  expect(lows.size).toBeGreaterThan(keys - 40);
  expect(highs.size).toBeGreaterThan(keys - 40);
});

test("zeros at the end, and the order of words, make another hash", () => {
  const hash = new KeyHash();
  const texts = ["", "\0", "\0\0", "\0\0\0\0", "abcdefgh", "efghabcd", "abcdabcd", "abcd", "abc", "abcd\0"];
  expect(new Set(texts.map((text) => hash.ofKey(text).text)).size).toBe(texts.length);
});
