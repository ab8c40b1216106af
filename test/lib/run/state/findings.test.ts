import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  distrustFindings,
  findingOf,
  findings,
  readFindings,
  writeFindings,
} from "../../../../lib/run/state/findings.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

const digest = (letter: string) => letter.repeat(64);

test("only the same size and MD5 is there; the same size is compared; all else is copied", () => {
  expect(findingOf("missing")).toBe(findings.toCopy);
  expect(findingOf("size-differs")).toBe(findings.toCopy);
  expect(findingOf("hash-differs")).toBe(findings.toCopy);
  expect(findingOf("size-equal")).toBe(findings.maybeThere);
  expect(findingOf("hash-equal")).toBe(findings.identical);
});

test("findings that are torn, foreign or of another length are none", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_0.found");
  const shard = { sha256: digest("a"), records: 4 };
  expect(readFindings(path, shard)).toBeUndefined();
  writeFindings(path, shard.sha256, Uint8Array.of(0, 1, 2, 0));
  const whole = readFileSync(path, "utf8");
  expect(whole).toBe(`xfer.found.v1 ${digest("a")}\n0120\n`);
  expect(readFindings(path, shard)).toEqual(Uint8Array.of(0, 1, 2, 0));
  expect(readFindings(path, { ...shard, records: 3 })).toBeUndefined();
  expect(readFindings(path, { ...shard, sha256: digest("b") })).toBeUndefined();
  for (const bad of [whole.slice(0, -1), whole.replace("0120", "0130"), whole.replace("0120", "\0\0\0\0")]) {
    writeFileSync(path, bad);
    expect(readFindings(path, shard)).toBeUndefined();
  }
  distrustFindings(path, shard);
  expect(readFindings(path, shard)).toEqual(new Uint8Array(4));
});
