import { expect, spyOn, test } from "bun:test";
import { sayUntransferable } from "../../../lib/build/left-out.ts";

test("what cannot be transferred is counted and named, and a reason that several share is said once", () => {
  const written: string[] = [];
  const stderr = spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  const lost = "rclone writes it under another name";
  try {
    sayUntransferable(
      {
        ...{ objects: 40, bytes: 2_048 },
        examples: [
          { key: "/a", size: 1, reason: lost },
          { key: "/b", size: 1, reason: lost },
          { key: "c", size: null, reason: "its size is not known" },
        ],
      },
      { out: "m.jsonl", sourceRoot: "src:data" },
    );
  } finally {
    stderr.mockRestore();
  }
  expect(written.map((line) => line.replace(/^.*?warning: /, "").trimEnd())).toEqual([
    "40 objects (2.0 KiB) cannot be transferred and are not in the manifest: see m.untransferable.jsonl",
    `  src:data//a: ${lost}`,
    "  src:data//b",
    "  src:data/c: its size is not known",
  ]);
});
