import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLookFailure, writeLookFailure } from "../../../../lib/run/state/look-failure.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

test("a failed look is told to those who waited for it, and to nobody else", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "destination.failed");
  const failure = { class: "auth", message: "the key is refused", final: true } as const;
  expect(readLookFailure(path, "one")).toBeUndefined();
  writeLookFailure(path, "one", failure);
  expect(readLookFailure(path, "one")).toEqual(failure);
  expect(readLookFailure(path, "two")).toBeUndefined();
  writeFileSync(path, '{"schema":"xfer.look-failure.v1","token":"one"');
  expect(readLookFailure(path, "one")).toBeUndefined();
});
