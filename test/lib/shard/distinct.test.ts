import { expect, test } from "bun:test";
import { DistinctCounter } from "../../../lib/shard/distinct.ts";

/** Hashes that are spread over 32 bits: those of a good hash of the numbers from 0. */
const hashOf = (i: number) =>
  new DataView(new Bun.CryptoHasher("md5").update(String(i)).digest().buffer).getUint32(0);

test.each([0, 1, 2, 255, 256])("%d distinct values are counted exactly, however often they come", (count) => {
  const counter = new DistinctCounter();
  for (let again = 0; again < 3; again++) {
    for (let i = 0; i < count; i++) counter.add(hashOf(i));
  }
  expect(counter.count).toBe(count);
});

test("the extreme hashes count as any other", () => {
  const counter = new DistinctCounter();
  for (const hash of [0, 0xffffffff, 0x80000000, 1]) counter.add(hash);
  expect(counter.count).toBe(4);
});

// Five times the standard error of 2.3 %, and what one count more or less makes of few.
test.each([257, 300, 2_000, 5_000, 10_000, 60_000])("%d distinct values are estimated", (count) => {
  const counter = new DistinctCounter();
  for (let i = 0; i < count; i++) {
    counter.add(hashOf(i));
    if (i % 3 === 0) counter.add(hashOf(Math.floor(i / 2)));
  }
  expect(Math.abs(counter.count - count)).toBeLessThanOrEqual(5 * 0.023 * count);
});
