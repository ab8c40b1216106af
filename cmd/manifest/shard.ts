import { defineCommand } from "citty";
import * as v from "valibot";
import { shardsFor } from "../../lib/estimate/analysis.ts";
import { clusterDefaults } from "../../lib/estimate/cost-model.ts";
import { shardManifest } from "../../lib/shard/cut.ts";
import { shardStrategies } from "../../lib/shard/meta.ts";
import { stopSignals, throwIfStopped, watchForStop } from "../../lib/system/interrupt.ts";
import { requireFolder } from "../../lib/system/writable.ts";
import * as costFlags from "../flags/cost.ts";
import * as flags from "../flags/values.ts";
import { printJson, printText } from "../view/print.ts";
import { ReadingLine } from "../view/reading-line.ts";
import { shardsJson, shardsText } from "../view/shards.ts";

const schema = v.object({
  in: flags.requiredText,
  outdir: flags.requiredText,
  "num-shards": flags.shardCount,
  strategy: flags.oneOf(shardStrategies),
  "object-overhead": costFlags.byteCount,
  "max-objects": v.optional(flags.whole(1)),
  json: v.optional(v.boolean(), false),
});

export default defineCommand({
  meta: { name: "xfer manifest shard", description: "Cuts a manifest into shards, one for each array task" },
  args: {
    in: { type: "string", required: true, valueHint: "FILE", description: "the manifest" },
    outdir: { type: "string", required: true, valueHint: "DIR", description: "where the shards go" },
    "num-shards": {
      type: "string",
      required: true,
      valueHint: "N",
      description: "how many shards; auto takes what analyze suggests",
    },
    strategy: flags.strategyArg,
    "object-overhead": {
      type: "string",
      default: "1MiB",
      valueHint: "SIZE",
      description: "what an object weighs beside its bytes; 0 balances bytes alone",
    },
    "max-objects": { type: "string", valueHint: "N", description: "records that a shard may have" },
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
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
      onProgress: (pass, progress) => reading.show(pass === 1 ? "checking" : "sharding")(progress),
    });
    reading.clear();
    if (input.json) await printJson(shardsJson(meta));
    else await printText(shardsText(input.outdir, meta));
  },
});
