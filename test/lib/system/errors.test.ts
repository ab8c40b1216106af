import { expect, test } from "bun:test";
import {
  errnoOf,
  invalidInput,
  isStop,
  messageOf,
  operationFailed,
  readError,
  XferError,
} from "../../../lib/system/errors.ts";

test.each<[unknown, string]>([
  [new Error("one\n  two \r\n\n three"), "one two three"],
  [new Error(" a "), "a"],
  [new Error(""), ""],
  ["text\n", "text"],
  [7, "7"],
  [undefined, "undefined"],
  [null, "null"],
])("the message of %p is on one line: %j", (error, message) => {
  expect(messageOf(error)).toBe(message);
});

test.each<[unknown, string | undefined]>([
  [Object.assign(new Error(""), { code: "ENOENT" }), "ENOENT"],
  [Object.assign(new Error(""), { code: 5 }), undefined],
  [new Error(""), undefined],
  [{ code: "ENOENT" }, undefined],
  ["ENOENT", undefined],
])("the errno of an error", (error, code) => {
  expect(errnoOf(error)).toBe(code as string);
});

test.each([
  ["EISDIR", "/a: is a folder: a file is wanted"],
  ["ENOTDIR", "/a: no such file: a part of its path is no folder"],
  ["EACCES", "/a: may not be read: permission denied"],
  ["ELOOP", "/a: is a symbolic link that leads to itself"],
  ["ENAMETOOLONG", "/a: no such file: the name is too long"],
])("a file that cannot be read for %s is named", (code, message) => {
  expect(readError("/a", Object.assign(new Error(code), { code }))).toMatchObject({ exitCode: 2, message });
});

test("other errors of reading stay as they are", () => {
  for (const error of [Object.assign(new Error(""), { code: "EIO" }), new Error("bug"), "text"]) {
    expect(readError("/a", error)).toBe(error);
  }
});

test("each kind of failure has its exit code, and a stop is told from the others", () => {
  expect(invalidInput("x").exitCode).toBe(2);
  expect(operationFailed("x").exitCode).toBe(1);
  expect(([0, 1, 2, 75, 130] as const).map((code) => isStop(new XferError("x", code)))).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});
