import { describe, expect, test } from "bun:test";
import {
  runJson,
  runVerificationText,
  verificationJson,
  verificationText,
} from "../../../cmd/view/verification.ts";
import { emptyAccount } from "../../../lib/run/account.ts";
import type { Verification } from "../../../lib/verify/verification.ts";

const good: Verification = {
  ...{
    schema: "xfer.verify.v1",
    checksum: "auto",
    dest_root: "dst:b",
    listed: { objects: 1_500, bytes: 2_048 },
  },
  ...{ hash_proven: 1_400, size_only: 100, missing: 0, differs: 0, sampled: 0, sampled_differs: 0, extra: 3 },
  ...{ untransferable: { objects: 0, bytes: 0 }, metadata_compared: false, verified: true, failures: [] },
  ...{
    manifest_sha256: "",
    verified_at: "2026-11-25T08:15:00.000Z",
    xfer_version: "1",
    rclone_version: null,
  },
};
const gone = (path: string) => ({ path, verdict: "missing" as const, reason: "not at the destination" });
const bad: Verification = {
  ...good,
  ...{ verified: false, size_only: 86, missing: 13, differs: 1 },
  failures: [
    { path: "cut", verdict: "differs", reason: "another size at the destination" },
    ...Array.from({ length: 13 }, (_, i) => gone(`gone-${i}`)),
  ],
};

describe("for people", () => {
  test("a destination that holds all", () => {
    expect(verificationText(good, "run")).toBe(`listed               1,500 objects      2.0 KiB
hash-proven          1,400 objects
size-only              100 objects
missing                  0 objects
differs                  0 objects
extra                    3 objects
metadata          not compared
verified
`);
  });

  test("one that does not: ten by name, and a reason that is that of several once", () => {
    const text = verificationText(bad, "run");
    expect(text).toContain(`  differs: cut: another size at the destination
  missing: gone-0: not at the destination
  missing: gone-1
`);
    expect(text.match(/not at the destination/g)).toHaveLength(1);
    expect(text).toContain("  missing: gone-8\n  and 4 more\n");
    expect(text).toEndWith("not verified: see run/verify.jsonl\n");
  });

  test("a sample, what is untransferable, and shards that were verified apart", () => {
    const more = { untransferable: { objects: 2, bytes: 7 }, sampled: 5, sampled_differs: 1, extra: null };
    const text = verificationText({ ...good, ...more }, "run");
    expect(text).toContain("untransferable           2 objects          7 B\n");
    expect(text).toContain("read                     5 objects\n  differing              1 objects\n");
    expect(text).not.toContain("extra");
  });

  const end = { verified: true, verification: good, notVerified: null, exitCode: 0 } as const;
  test.each([
    [end, "verified: 1,400 by size and MD5, 100 by size (2026-11-25T08:15:00.000Z)\n"],
    [
      { verified: false, verification: null, notVerified: "--no-verify", exitCode: 0 } as const,
      "not verified: --no-verify\n",
    ],
  ])("the end of a run: %#", (of, text) => expect(runVerificationText(of, "run")).toBe(text));

  test("the end of a run whose destination lacks something", () => {
    const text = runVerificationText({ ...end, verified: false, verification: bad }, "run");
    expect(text).toStartWith(
      "not verified: 1,400 by size and MD5, 86 by size, 13 missing, 1 differing\n  differs: cut",
    );
    expect(text).toContain("all of them are in run/verify.jsonl");
  });
});

test("as JSON: what was found, where the run is, and for a run the reasons of what failed", () => {
  expect(verificationJson(good, "run")).toEqual({ ...good, run_dir: "run" });
  const account = emptyAccount({ objects: 0, bytes: 0 }, { objects: 5, bytes: 50 });
  const end = { verified: false, verification: null, notVerified: "--no-verify", exitCode: 0 } as const;
  expect(runJson({ account, causes: [], runDir: "run", end })).toEqual({
    ...account,
    ...{ causes: [], run_dir: "run", verified: false, not_verified: "--no-verify", verification: null },
  });
});
