import { tmpdir } from "node:os";
import { defineCommand } from "citty";
import * as v from "valibot";
import { duplicateKeyError, findFirstDuplicate } from "../../lib/manifest/distinct-keys.ts";
import { readFirstRecord } from "../../lib/manifest/read.ts";
import { rebaseLines, rebaseManifest } from "../../lib/manifest/rebase.ts";
import { copyUntransferable, untransferablePath } from "../../lib/manifest/untransferable.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { requireApart } from "../../lib/rclone/overlap.ts";
import { checkRoot } from "../../lib/rclone/root.ts";
import { removeIfAny } from "../../lib/system/durable.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { checkNewFile } from "../flags/checks.ts";
import * as flags from "../flags/values.ts";
import { print, printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";
import { rebasedJson, rebasedText } from "../view/rebased.ts";

const schema = v.object({
  in: flags.requiredText,
  out: flags.requiredText,
  "source-root": flags.optionalText,
  "dest-root": flags.optionalText,
  json: v.optional(v.boolean(), false),
});

export default defineCommand({
  meta: { name: "xfer manifest rebase", description: "Gives a manifest another source or destination root" },
  args: {
    in: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "the manifest; - for standard input",
    },
    out: {
      type: "string",
      required: true,
      valueHint: "FILE",
      description: "the new one; - for standard output",
    },
    "source-root": {
      type: "string",
      valueHint: "ROOT",
      description: "the new source root (default: as it is)",
    },
    "dest-root": {
      type: "string",
      valueHint: "ROOT",
      description: "the new destination root (default: as it is)",
    },
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const { out } = input;
    const source = input["source-root"];
    const dest = input["dest-root"];
    if (source === undefined && dest === undefined)
      throw invalidInput("--source-root or --dest-root is needed");
    if (out !== "-") checkNewFile("--out", out);
    else if (input.json) throw invalidInput("--json: the manifest is on standard output: give --out a file");
    const reading = new ReadingLine();
    const { signal: stop } = watchForStop(stopSignals);
    const options = {
      manifestPath: input.in,
      roots: {
        sourceRoot: source === undefined ? undefined : checkRoot("--source-root", source),
        destRoot: dest === undefined ? undefined : checkRoot("--dest-root", dest),
      },
      onProgress: reading.show("rebasing"),
      stop,
    };
    await checkApart(input.in, options.roots);
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
      removeIfAny(untransferablePath(out));
      throw error;
    });
    reading.clear();
    if (input.json) await printJson(rebasedJson(out, records));
    else await printText(rebasedText(out, records));
  },
});

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
