import { createHash } from "node:crypto";

/** A package that is in the binary. */
export interface Bundled {
  name: string;
  version: string;
  license: string;
  /** As bun.lock has it: "sha512-" and base64. */
  integrity: string;
}

/** What a bill of materials is made of. */
interface Release {
  version: string;
  license: string;
  /** When the commit was made that is released, in UTC; undefined where it is not known. */
  date: string | undefined;
  bun: string;
  packages: readonly Bundled[];
  binaries: readonly { name: string; sha256: string }[];
}

/** The folders of packages that a metafile of Bun's bundler names as inputs, sorted. */
export function bundledFolders(inputs: readonly string[]): string[] {
  const folders = inputs.map((path) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** The purl of a package of npm; the @ of a scope is escaped. */
const purlOf = (name: string, version: string) => `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;

/** The bill of materials of a release, CycloneDX 1.6: what of others is in its binaries. The same release has the same one. */
export function sbomOf(release: Release): Record<string, unknown> {
  const own = `pkg:generic/xfer@${release.version}`;
  const bun = {
    type: "platform",
    "bom-ref": purlOf("bun", release.bun),
    name: "bun",
    version: release.bun,
    description: "The runtime. It holds JavaScriptCore (LGPL-2) and the libraries that its license names.",
    licenses: [{ license: { id: "MIT" } }],
    purl: purlOf("bun", release.bun),
    externalReferences: [
      { type: "license", url: `https://github.com/oven-sh/bun/blob/bun-v${release.bun}/LICENSE.md` },
    ],
  };
  const components = [...release.packages.map(componentOf), bun];
  const refs = components.map((component) => component["bom-ref"]);
  const content = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      ...(release.date === undefined ? {} : { timestamp: release.date }),
      component: {
        type: "application",
        "bom-ref": own,
        name: "xfer",
        version: release.version,
        licenses: [{ license: { id: release.license } }],
        purl: own,
        components: release.binaries.map(({ name, sha256 }) => ({
          ...{ type: "file", name, hashes: [{ alg: "SHA-256", content: sha256 }] },
        })),
      },
    },
    components,
    dependencies: [{ ref: own, dependsOn: refs }, ...refs.map((ref) => ({ ref }))],
  };
  return { ...content, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}` };
}

function componentOf({ name, version, license, integrity }: Bundled) {
  const [, base64 = ""] = integrity.split("sha512-");
  return {
    type: "library",
    "bom-ref": purlOf(name, version),
    name,
    version,
    licenses: [{ license: { id: license } }],
    purl: purlOf(name, version),
    hashes: [{ alg: "SHA-512", content: Buffer.from(base64, "base64").toString("hex") }],
  };
}

/** A UUID of the form for those made of a content (version 8). */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
