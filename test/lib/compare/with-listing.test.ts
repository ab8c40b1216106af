import { expect, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareWithListing, type ListedManifest } from "../../../lib/compare/with-listing.ts";
import { recordLine } from "../../data/manifest.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const objects = [
  { path: "same", size: 1 },
  { path: "gone", size: 2 },
  { path: "longer", size: 3 },
];

/** Compares a manifest of these lines with these sizes by their keys, and notes the steps. */
async function compare(
  path: string,
  listed: Record<string, number>,
): Promise<{ compared: ListedManifest<string> | undefined; steps: string[] }> {
  const steps: string[] = [];
  const compared = await compareWithListing(
    path,
    { hashes: false, times: false },
    {
      checkRoots: ({ source_root, dest_root }) => void steps.push(`${source_root} ${dest_root}`),
      list: async (take) => {
        for (const [key, size] of Object.entries(listed))
          steps.push(`${key} ${take({ Path: key, Size: size })}`);
        return "end";
      },
    },
  );
  return { compared, steps };
}

test("roots are checked before anything is listed, and every record has its outcome in the manifest's order", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  writeFileSync(path, objects.map(recordLine).join(""));
  const { compared, steps } = await compare(path, { extra: 9, longer: 4, same: 1 });
  expect(steps).toEqual(["src:bucket/set dst:bucket/set", "extra false", "longer true", "same true"]);
  expect(compared?.end).toBe("end");
  expect(compared?.extra).toBe(1);
  const outcomes: unknown[] = [];
  await compared?.forEachOutcome(({ relation }, record, index) => {
    outcomes.push([index, record.path, record.size, Buffer.from(record.line).toString(), relation]);
  });
  expect(outcomes).toEqual([
    [0, "same", 1, recordLine({ path: "same", size: 1 }), "size-equal"],
    [1, "gone", 2, recordLine({ path: "gone", size: 2 }), "missing"],
    [2, "longer", 3, recordLine({ path: "longer", size: 3 }), "size-differs"],
  ]);
});

test("nothing is listed for an empty manifest, and nothing for one whose roots are refused", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  writeFileSync(path, "");
  expect(await compare(path, { a: 1 })).toEqual({ compared: undefined, steps: [] });
  writeFileSync(path, objects.map(recordLine).join(""));
  let wasListed = false;
  const refused = compareWithListing(
    path,
    { hashes: false, times: false },
    {
      checkRoots: () => {
        throw new Error("other roots");
      },
      list: async () => {
        wasListed = true;
      },
    },
  );
  await expect(refused).rejects.toThrow("other roots");
  expect(wasListed).toBe(false);
});

test("a key that is there twice, and a manifest that grows meanwhile, end it with an error that says so", async () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "m.jsonl");
  writeFileSync(path, [...objects, { path: "same", size: 5 }].map(recordLine).join(""));
  await expect(compare(path, {})).rejects.toThrow(`${path}:4: the key is in line 1 already: same`);
  writeFileSync(path, objects.map(recordLine).join(""));
  const { compared } = await compare(path, {});
  appendFileSync(path, recordLine({ path: "later", size: 1 }));
  await expect(compared?.forEachOutcome(() => {})).rejects.toThrow(`${path}: the manifest was changed`);
});
