import { expect, test } from "bun:test";
import { type CopyFacts, copyPlan } from "../../../lib/rclone/copy-plan.ts";

const mebibyte = 1024 * 1024;
const facts: CopyFacts = {
  source: "s3",
  dest: "s3",
  serverSide: "apart",
  largestBytes: 1,
  version: [1, 64],
  multiThreadCutoffBytes: undefined,
  comparesDestination: false,
  mayBeThere: false,
  metadata: "off",
  metadataSaid: undefined,
  serverCopyCutoffBytes: undefined,
};

const asksForSize = (more: Partial<CopyFacts>): boolean =>
  !copyPlan({ ...facts, ...more }).flags.includes("--s3-no-head-object");

test("rclone asks for the size of an object exactly where it copies in several streams", () => {
  const large = { largestBytes: 250 * mebibyte };
  const rows: [Partial<CopyFacts>, boolean][] = [
    [large, true],
    [{ largestBytes: 250 * mebibyte - 1 }, false],
    [{ ...large, version: [1, 63] }, false],
    [{ ...large, version: [1, 63], dest: "posix" }, true],
    [{ ...large, version: [2, 0] }, true],
    [{ ...large, version: undefined }, true],
    [{ ...large, multiThreadCutoffBytes: 0 }, false],
    [{ largestBytes: 1, multiThreadCutoffBytes: 1 }, true],
    [{ largestBytes: 9, multiThreadCutoffBytes: 10 }, false],
    [{ largestBytes: 10, multiThreadCutoffBytes: 10 }, true],
    [{ ...large, serverSide: "same-remote" }, false],
    [{ largestBytes: 4096 * mebibyte - 1, serverSide: "same-endpoint" }, false],
    [{ largestBytes: 4096 * mebibyte, serverSide: "same-endpoint" }, true],
    [{ mayBeThere: true }, true],
    [{ comparesDestination: true }, true],
  ];
  expect(rows.map(([more]) => [more, asksForSize(more)])).toEqual(rows);
});

test("the log says what was planned and why", () => {
  const reason = (more: Partial<CopyFacts>) => copyPlan({ ...facts, ...more }).reason;
  expect(reason({})).toBe("s3 to s3; the destination is not asked first; no HEAD before the GET");
  expect(reason({ source: "posix" })).toBe("posix to s3; the destination is not asked first");
  expect(reason({ largestBytes: 250 * mebibyte })).toContain("; a HEAD first, for several streams");
  expect(reason({ mayBeThere: true })).toBe(
    "s3 to s3; compared, since the destination has objects of these sizes; a HEAD first, to compare",
  );
  expect(reason({ comparesDestination: true })).toContain("compared, as the user's flags ask");
  expect(reason({ serverSide: "same-remote" })).toContain("one endpoint: copied on the server");
});
