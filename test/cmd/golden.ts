import { expect } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** Compares a text with a committed file, which is rewritten only when UPDATE_GOLDEN=1 says so. */
export function expectGolden(path: string, text: string): void {
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, text);
  expect(existsSync(path) ? readFileSync(path, "utf8") : `${path}: no such file`).toBe(text);
}
