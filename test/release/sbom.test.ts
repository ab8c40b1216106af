import { expect, test } from "bun:test";
import { join } from "node:path";
import { bundledFolders, sbomOf } from "../../.ci/sbom.ts";
import { dependencies } from "../../package.json" with { type: "json" };

const root = join(import.meta.dir, "..", "..");

test.each([
  [["cmd/main.ts", "lib/a.ts"], []],
  [
    ["node_modules/b/dist/x.js", "node_modules/a/y.js", "node_modules/a/z/y.js"],
    ["node_modules/a", "node_modules/b"],
  ],
  [["node_modules/@s/p/y.js"], ["node_modules/@s/p"]],
  [["node_modules/a/node_modules/b/y.js"], ["node_modules/a/node_modules/b"]],
] as [string[], string[]][])("the packages of %j are %j", (inputs, folders) => {
  expect(bundledFolders(inputs)).toEqual(folders);
});

test("what the bundler puts into the binary is what package.json names as dependencies", async () => {
  const built = await Bun.build({
    entrypoints: [join(root, "cmd/main.ts"), join(root, "lib/system/digest-thread.ts")],
    target: "bun",
    metafile: true,
  });
  const folders = bundledFolders(Object.keys(built.metafile?.inputs ?? {}));
  expect(folders.map((folder) => folder.replace(/^.*node_modules\//, ""))).toEqual(
    Object.keys(dependencies).sort(),
  );
});

const release = {
  version: "1.2.3",
  license: "BSD-3-Clause",
  date: "2026-11-25T12:00:00.000Z",
  bun: "1.4.4",
  packages: [
    { name: "@scope/part", version: "2.0.0", license: "MIT", integrity: `sha512-${btoa("x".repeat(64))}` },
  ],
  binaries: [{ name: "xfer-1.2.3-linux-x64", sha256: "ab".repeat(32) }],
};

test("a bill of materials names every package and Bun, each with version, purl and license", () => {
  const sbom = sbomOf(release);
  expect(sbom).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: expect.stringMatching(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    ),
    metadata: {
      timestamp: release.date,
      component: {
        version: "1.2.3",
        components: [
          { name: "xfer-1.2.3-linux-x64", hashes: [{ alg: "SHA-256", content: "ab".repeat(32) }] },
        ],
      },
    },
    components: [
      {
        name: "@scope/part",
        version: "2.0.0",
        purl: "pkg:npm/%40scope/part@2.0.0",
        licenses: [{ license: { id: "MIT" } }],
        hashes: [{ alg: "SHA-512", content: "78".repeat(64) }],
      },
      { name: "bun", version: "1.4.4", purl: "pkg:npm/bun@1.4.4", licenses: [{ license: { id: "MIT" } }] },
    ],
  });
});

test("the same release has the same bill, another one another number", () => {
  expect(sbomOf(release)).toEqual(sbomOf(release));
  expect(sbomOf({ ...release, version: "1.2.4" }).serialNumber).not.toBe(sbomOf(release).serialNumber);
});
