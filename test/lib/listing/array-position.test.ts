import { expect, test } from "bun:test";
import { ArrayPosition } from "../../../lib/listing/array-position.ts";
import type { ListingLine } from "../../../lib/listing/entry.ts";

type Kind = ListingLine["kind"];

test.each<[Kind[], boolean]>([
  [["open", "close"], true],
  [["blank", "open", "entry", "blank", "entry", "close", "blank"], true],
  [["open", "entry"], false],
  [[], false],
])("%j may follow each other; the array is closed: %p", (kinds, isClosed) => {
  const position = new ArrayPosition();
  expect(kinds.every((kind) => position.takes(kind))).toBe(true);
  expect(position.isClosed).toBe(isClosed);
});

test.each<[Kind[], Kind]>([
  [[], "entry"],
  [[], "close"],
  [["open"], "open"],
  [["open", "close"], "entry"],
  [["open", "close"], "open"],
  [["open", "close"], "close"],
])("after %j there may be no %s", (before, kind) => {
  const position = new ArrayPosition();
  for (const one of before) position.takes(one);
  expect(position.takes(kind)).toBe(false);
});
