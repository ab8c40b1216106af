import { join } from "node:path";
import { compile, root, type Target, targets, versionOf } from "./compile.ts";

/**
 * `.ci/build.ts [TARGET...]`: builds dist/xfer for this machine, as `bun run build` does, or the binaries of these
 * targets by the names that they have in a release, in dist/release.
 */
const words = process.argv.slice(2);
const wanted = words.filter((word): word is Target => Object.hasOwn(targets, word));
try {
  if (wanted.length < words.length) {
    throw new Error(`a target is one of ${Object.keys(targets).join(", ")}`);
  }
  if (wanted.length === 0) {
    const outfile = join(root, "dist", "xfer");
    compile({ outfile });
    process.stderr.write(`dist/xfer ${versionOf(outfile)}\n`);
  }
  const { version } = await Bun.file(join(root, "package.json")).json();
  for (const target of wanted) {
    const name = `dist/release/xfer-${version}-${target}`;
    compile({ outfile: join(root, name), target });
    process.stderr.write(`${name}\n`);
  }
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
