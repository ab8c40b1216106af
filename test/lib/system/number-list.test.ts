import { expect, test } from "bun:test";
import { formatNumberList, parseNumberList } from "../../../lib/system/number-list.ts";

test.each<[string, number[] | undefined]>([
  ["3", [3]],
  ["3,17,40-44", [3, 17, 40, 41, 42, 43, 44]],
  ["17, 3,3-4", [3, 4, 17]],
  ["0-0", [0]],
  ["", undefined],
  ["3,", undefined],
  ["4-3", undefined],
  ["-3", undefined],
  ["3-", undefined],
  ["0-10:2", undefined],
  ["a", undefined],
  ["1.5", undefined],
  ["0-999999999", undefined],
  ["1234567890", undefined],
])("the numbers of %p", (text, numbers) => {
  expect(parseNumberList(text)).toEqual(numbers);
});

test.each<[number[], string]>([
  [[], ""],
  [[3], "3"],
  [[3, 4], "3-4"],
  [[0, 1, 2, 5, 7, 8], "0-2,5,7-8"],
])("%p as a list", (numbers, text) => {
  expect(formatNumberList(numbers)).toBe(text);
  if (text !== "") expect(parseNumberList(text)).toEqual(numbers);
});
