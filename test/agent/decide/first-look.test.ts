import { expect, test } from "bun:test";
import { readLook } from "../../../agent/decide/first-look.ts";

const shard = { records: 4, isProven: (index: number) => index === 0 };
const seen = (found: "nothing" | "per-shard" | "too-much") => ({ found, listed: 9, version: null });

test("of an empty destination nothing is compared", () => {
  expect(readLook(seen("nothing"), undefined, shard)).toEqual({
    identical: [],
    mayBeThere: undefined,
    summary: undefined,
  });
});

test("each finding says what follows, but not for a record that is proven", () => {
  expect(readLook(seen("per-shard"), Uint8Array.of(2, 2, 1, 0), shard)).toEqual({
    identical: [1],
    mayBeThere: Uint8Array.of(0, 0, 1, 0),
    summary: "the destination was listed (9 entries): 1 identical, 1 to compare",
  });
  expect(readLook(seen("per-shard"), Uint8Array.of(1, 0, 0, 0), shard).mayBeThere).toEqual(new Uint8Array(4));
});

test("beside far more than the run has, every record is compared, unless what is there is not to be trusted", () => {
  expect(readLook(seen("too-much"), undefined, shard).mayBeThere).toEqual(Uint8Array.of(1, 1, 1, 1));
  expect(readLook(seen("too-much"), new Uint8Array(4), shard)).toMatchObject({
    identical: [],
    mayBeThere: new Uint8Array(4),
  });
});
