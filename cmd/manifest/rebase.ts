import { tmpdir } from "node:os";
import { duplicateKeyError, findFirstDuplicate } from "../../lib/manifest/distinct-keys.ts";
import { readFirstRecord } from "../../lib/manifest/read.ts";
import { type RebaseOptions, rebaseLines, rebaseManifest } from "../../lib/manifest/rebase.ts";
import { copyUntransferable, untransferablePath } from "../../lib/manifest/untransferable.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkRoot } from "../../lib/rclone/root-check.ts";
import { removeIfExists } from "../../lib/system/durable.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { command } from "../cli/command.ts";
import { checkNewFile } from "../flags/checks.ts";
import { clusterFlag } from "../flags/cluster.ts";
import type { OptionsOf } from "../flags/flag.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { print, printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";
import { rebasedJson, rebasedText } from "../view/rebased.ts";

const flags = {
  in: flag.file({
    required: true,
    group: "what",
    common: true,
    description: "the manifest; - for standard input",
  }),
  out: flag.file({
    required: true,
    group: "what",
    common: true,
    description: "the new one; - for standard output",
  }),
  "source-root": flag.text({
    valueHint: "ROOT",
    group: "what",
    common: true,
    defaultText: "as it is",
    description: "the new source root",
  }),
  "dest-root": flag.text({
    valueHint: "ROOT",
    group: "what",
    common: true,
    defaultText: "as it is",
    description: "the new destination root",
  }),
  cluster: clusterFlag,
  json: jsonFlag,
};

export default command({
  name: "xfer manifest rebase",
  description: "Gives a manifest another source or destination root",
  details: ["Only the roots change: what the records name below them must be the same objects."],
  examples: [
    {
      says: "Copy to another bucket",
      line: "xfer manifest rebase --in manifest.jsonl --out other.jsonl --dest-root dst:other/set",
    },
    {
      says: "In a pipe",
      line: "xfer manifest rebase --in - --out - --source-root src:mirror/set",
    },
  ],
  flags,
  async run(input) {
    const { out } = input;
    const roots = rootsOf(input);
    if (out !== "-") checkNewFile("--out", out);
    const reading = new ReadingLine();
    const { signal: stop } = watchForStop(stopSignals);
    const options = {
      manifestPath: input.in,
      roots,
      onProgress: reading.show("rebasing"),
      stop,
    };
    await checkApart(input.in, roots);
    if (out === "-") {
      // What is printed cannot be taken back: a file is looked through before.
      const twice =
        input.in === "-" ? undefined : await findFirstDuplicate(input.in, { folder: tmpdir(), stop });
      if (twice) throw duplicateKeyError(input.in, twice);
      await rebaseLines(options, { write: print }, tmpdir());
      return;
    }
    copyUntransferable(input.in, out);
    const records = await rebaseManifest(options, out).catch((error: unknown) => {
      removeIfExists(untransferablePath(out));
      throw error;
    });
    reading.clear();
    if (input.json) await printJson(rebasedJson(out, records));
    else await printText(rebasedText(out, records));
  },
});

/** The new roots, of which one may stay. Throws invalid input for roots and flags that cannot be. */
export function rootsOf(input: OptionsOf<typeof flags>): RebaseOptions["roots"] {
  const { "source-root": source, "dest-root": dest, out, json } = input;
  if (source === undefined && dest === undefined)
    throw invalidInput("--source-root or --dest-root is needed");
  if (out === "-" && json)
    throw invalidInput("--json: the manifest is on standard output: give --out a file");
  return {
    sourceRoot: source === undefined ? undefined : checkRoot("--source-root", source),
    destRoot: dest === undefined ? undefined : checkRoot("--dest-root", dest),
  };
}

/** Throws invalid input when the new roots overlap; one that stays is known of a file alone. */
async function checkApart(
  manifest: string,
  { sourceRoot, destRoot }: { sourceRoot: string | undefined; destRoot: string | undefined },
): Promise<void> {
  const stays = sourceRoot === undefined || destRoot === undefined;
  const listed = stays && manifest !== "-" ? await readFirstRecord(manifest) : undefined;
  const source = sourceRoot ?? listed?.source_root;
  const dest = destRoot ?? listed?.dest_root;
  if (source === undefined || dest === undefined) return;
  const ends = {
    source: { name: "the source", root: source },
    dest: { name: "the destination", root: dest },
  };
  requireApart(ends, remoteContext(undefined, "host"));
}
