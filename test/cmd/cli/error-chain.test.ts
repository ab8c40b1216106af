import { expect, test } from "bun:test";
import { errorChain } from "../../../cmd/cli/error-chain.ts";
import { invalidInput, operationFailed } from "../../../lib/system/errors.ts";

const system = Object.assign(new Error("EACCES: permission denied, open '/x'"), { code: "EACCES" });

test("every error of the chain is shown, the outermost first, with where it came from", () => {
  const input = invalidInput("/x: may not be read", { cause: system });
  const chain = errorChain(operationFailed("nothing was listed", { cause: input }));
  expect(chain.map((text) => text.split("\n", 1)[0])).toEqual([
    "XferError: nothing was listed",
    "caused by: XferError: /x: may not be read",
    "caused by: Error: EACCES: permission denied, open '/x'",
  ]);
  for (const text of chain) expect(text).toMatch(/\n +at .*error-chain\.test\.ts/);
});

test("a cause that is no error is shown as it is; what is thrown and is no error has no chain", () => {
  const [, cause] = errorChain(new Error("outer", { cause: "odd" }));
  expect(cause).toBe("caused by: odd");
  expect(errorChain("odd")).toEqual([]);
});

test("a circle of causes ends", () => {
  const [one, two] = [new Error("one"), new Error("two")];
  one.cause = two;
  two.cause = one;
  expect(errorChain(one)).toHaveLength(2);
});

test("a credential in a URL is shown of none of them", () => {
  const cause = new Error("Get https://user:pw1@host/b: refused\nat https://host/b?X-Amz-Signature=pw2: no");
  const text = errorChain(operationFailed("the source does not answer", { cause })).join("\n");
  expect(text).toContain("the source does not answer");
  expect(text).not.toMatch(/pw1|pw2/);
});
