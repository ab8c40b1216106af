import { analyzeManifest } from "../../lib/estimate/analysis.ts";
import { writeFileDurable } from "../../lib/system/durable.ts";
import { command } from "../cli/command.ts";
import { checkResultFile } from "../flags/checks.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { clusterFlags, clusterOf } from "../flags/cost.ts";
import { flag } from "../flags/make.ts";
import { inputFlag } from "../flags/manifest.ts";
import { jsonFlag } from "../flags/output.ts";
import { analysisJson, analysisText, barWidthOf } from "../view/analysis.ts";
import { printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";

export default command({
  name: "xfer manifest analyze",
  description: "Sizes of the objects, flags for rclone, and how many shards to cut",
  details: [
    "What it suggests rests on the assumptions that it prints. --in may be what rclone lsjson prints, as one array or an " +
      "object a line; a listing that is torn is refused.",
  ],
  examples: [
    { says: "Look at what was listed", line: "xfer manifest analyze --in manifest.jsonl" },
    {
      says: "For an array of 128 tasks at a time",
      line: "xfer manifest analyze --in manifest.jsonl --assumed-array-concurrency 128 --json",
    },
  ],
  flags: {
    in: inputFlag,
    out: flag.file({
      group: "output",
      common: true,
      description: "write the JSON here; - for standard output",
    }),
    "base-flags": flag.words({
      default: "--retries 10 --low-level-retries 20",
      valueHint: "FLAGS",
      group: "rclone",
      description: "flags for rclone that follow the suggested ones; they win",
    }),
    ...clusterFlags,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run(input) {
    const { out } = input;
    if (out !== undefined && out !== "-") checkResultFile("--out", out);
    const reading = new ReadingLine();
    const analysis = await analyzeManifest({
      manifestPath: input.in,
      baseFlags: input["base-flags"],
      cluster: clusterOf(input),
      onProgress: reading.show("analyzing"),
    });
    reading.clear();
    if (out !== undefined && out !== "-") {
      writeFileDurable(out, `${JSON.stringify(analysis, null, 2)}\n`);
      if (!input.json) return;
    }
    if (input.json || out === "-") await printJson(analysisJson(analysis));
    else await printText(analysisText(analysis, barWidthOf(process.stdout.columns || 80)));
  },
});
