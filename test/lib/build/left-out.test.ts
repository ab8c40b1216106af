import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import { sayLeftOut } from "../../../lib/build/left-out.ts";
import { log } from "../../../lib/system/log.ts";

const said: [string, unknown][] = [];

beforeEach(() => {
  said.length = 0;
  for (const level of ["info", "warn"] as const) {
    spyOn(log, level).mockImplementation(((text: unknown) => said.push([level, text])) as never);
  }
});

afterEach(() => {
  mock.restore();
});

const listed = { out: "/run/manifest.jsonl", sourceRoot: "src:b" };
const nothing = {
  leftOut: 0,
  firstLeftOut: undefined,
  markers: { objects: 0, first: undefined },
  untransferable: { objects: 0, bytes: 0, examples: [] },
};

test("where all is in the manifest nothing is said", () => {
  sayLeftOut(nothing, listed);
  expect(said).toEqual([]);
});

test("one of each is said in the singular", () => {
  sayLeftOut(
    {
      leftOut: 1,
      firstLeftOut: "a/link",
      markers: { objects: 1, first: "src:b/marker/" },
      untransferable: {
        objects: 1,
        bytes: 5,
        examples: [{ key: "odd", size: 5, reason: "its name is no UTF-8" }],
      },
    },
    listed,
  );
  expect(said).toEqual([
    [
      "warn",
      "1 entry is not in the manifest: rclone copies no symbolic links or special files " +
        "(-L in --extra-lsjson-flags and --rclone-flags follows links); the first: a/link",
    ],
    [
      "info",
      "1 directory marker is not in the manifest: rclone copies no object whose key ends in a slash; " +
        "the first: src:b/marker/",
    ],
    [
      "warn",
      "1 object (5 B) cannot be transferred and is not in the manifest: see /run/manifest.untransferable.jsonl",
    ],
    ["warn", "  src:b/odd: its name is no UTF-8"],
  ]);
});

test("many are said in the plural, with as many examples as there are", () => {
  const examples = ["x", "y", "z"].map((key) => ({ key, size: null, reason: "r" }));
  sayLeftOut(
    {
      leftOut: 12_345,
      firstLeftOut: undefined,
      markers: { objects: 2, first: "src:b/" },
      untransferable: { objects: 1_000, bytes: 0, examples },
    },
    listed,
  );
  expect(said.map(([, text]) => String(text).split(":")[0])).toEqual([
    "12,345 entries are not in the manifest",
    "2 directory markers are not in the manifest",
    "1,000 objects (0 B) cannot be transferred and are not in the manifest",
    "  src",
    "  src",
    "  src",
  ]);
});
