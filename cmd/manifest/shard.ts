import { shardsFor } from "../../lib/estimate/analysis.ts";
import { clusterDefaults, objectOverheadBytesDefault } from "../../lib/estimate/cost-model.ts";
import { shardManifest } from "../../lib/shard/cut.ts";
import { stopSignals, throwIfStopped, watchForStop } from "../../lib/system/interrupt.ts";
import { formatBytes } from "../../lib/system/units.ts";
import { requireFolder } from "../../lib/system/writable.ts";
import { command } from "../cli/command.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { byteCount } from "../flags/cost.ts";
import { flag, noLimit } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { shardCount, strategyFlag } from "../flags/plan.ts";
import { printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";
import { shardsJson, shardsText } from "../view/shards.ts";

export default command({
  name: "xfer manifest shard",
  description: "Cuts a manifest into shards, one for each array task",
  details: [
    "Shards are level in what they cost, not in bytes alone: an object weighs its size and --object-overhead, about what " +
      "a request costs. A number of shards above the number of records is refused.",
  ],
  examples: [
    {
      says: "Cut as many as the objects suggest",
      line: "xfer manifest shard --in run/manifest.jsonl --outdir run/shards --num-shards auto",
    },
    {
      says: "512 shards of at most 100,000 objects",
      line: "xfer manifest shard --in run/manifest.jsonl --outdir run/shards --num-shards 512 --max-objects 100000",
    },
  ],
  flags: {
    in: flag.file({ required: true, group: "what", common: true, description: "the manifest" }),
    outdir: flag.folder({
      required: true,
      group: "what",
      common: true,
      description: "where the shards go",
    }),
    "num-shards": flag.read(shardCount, {
      required: true,
      valueHint: "N",
      group: "sharding",
      common: true,
      description: "how many shards; auto takes what analyze suggests",
    }),
    strategy: { ...strategyFlag, common: true },
    "object-overhead": flag.parsed(...byteCount, {
      default: objectOverheadBytesDefault,
      defaultText: formatBytes(objectOverheadBytesDefault),
      valueHint: "SIZE",
      group: "sharding",
      common: true,
      description: "what an object weighs beside its bytes; 0 balances bytes alone",
    }),
    "max-objects": flag.whole(1, noLimit, {
      group: "sharding",
      common: true,
      description: "records that a shard may have",
    }),
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run(input) {
    requireFolder("--outdir", input.outdir);
    const reading = new ReadingLine();
    const { signal: stop } = watchForStop(stopSignals);
    const analyzing = reading.show("analyzing");
    const numShards =
      input["num-shards"] === "auto"
        ? await shardsFor({
            manifestPath: input.in,
            cluster: clusterDefaults,
            maxObjects: input["max-objects"],
            onProgress: (progress) => {
              throwIfStopped(stop, "nothing was written; run the same command again");
              analyzing(progress);
            },
          })
        : input["num-shards"];
    const meta = await shardManifest({
      manifestPath: input.in,
      outdir: input.outdir,
      numShards,
      strategy: input.strategy,
      objectOverheadBytes: input["object-overhead"],
      maxObjects: input["max-objects"],
      now: new Date(),
      stop,
      onProgress: (nth, progress) => reading.show(nth === 1 ? "checking" : "sharding")(progress),
    });
    reading.clear();
    if (input.json) await printJson(shardsJson(meta));
    else await printText(shardsText(input.outdir, meta));
  },
});
