import { tmpdir } from "node:os";
import { defineCommand } from "citty";
import * as v from "valibot";
import { duplicateKeyError, findFirstDuplicate } from "../../lib/manifest/distinct-keys.ts";
import { rebaseLines, rebaseManifest } from "../../lib/manifest/rebase.ts";
import { copyUntransferable } from "../../lib/manifest/untransferable.ts";
import { checkRoot } from "../../lib/run/inputs.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { formatObjects } from "../../lib/system/units.ts";
import * as flags from "../flags.ts";
import { checkNewFile } from "../listing.ts";
import { printBytes, printText } from "../print.ts";
import { ReadingLine } from "./read-progress.ts";

const schema = v.object({
  in: flags.requiredText,
  out: flags.requiredText,
  "source-root": flags.optionalText,
  "dest-root": flags.optionalText,
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
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const { out } = input;
    const source = input["source-root"];
    const dest = input["dest-root"];
    if (source === undefined && dest === undefined)
      throw invalidInput("--source-root or --dest-root is needed");
    if (out !== "-") checkNewFile("--out", out);
    const reading = new ReadingLine();
    const options = {
      manifestPath: input.in,
      roots: {
        sourceRoot: source === undefined ? undefined : checkRoot("--source-root", source),
        destRoot: dest === undefined ? undefined : checkRoot("--dest-root", dest),
      },
      onProgress: reading.show("rebasing"),
    };
    if (out === "-") {
      // What is printed cannot be taken back: a file is looked through before.
      const twice = input.in === "-" ? undefined : await findFirstDuplicate(input.in, tmpdir());
      if (twice) throw duplicateKeyError(input.in, twice);
      await rebaseLines(options, { write: printBytes }, tmpdir());
      return;
    }
    copyUntransferable(input.in, out);
    const records = await rebaseManifest(options, out);
    reading.clear();
    await printText(`${out}: ${formatObjects(records)}\n`);
  },
});
