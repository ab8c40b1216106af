import { defineCommand } from "citty";
import * as v from "valibot";
import { shardManifest } from "../../lib/manifest/shard.ts";
import { shardStrategies } from "../../lib/manifest/shards-meta.ts";
import { formatBytes, formatObjects } from "../../lib/system/units.ts";
import * as flags from "../flags.ts";
import { printJson, printText } from "../print.ts";

const schema = v.object({
  in: flags.requiredText,
  outdir: flags.requiredText,
  "num-shards": flags.whole(1),
  strategy: flags.oneOf(shardStrategies),
  json: v.optional(v.boolean(), false),
});

export default defineCommand({
  meta: { name: "xfer manifest shard", description: "Cuts a manifest into shards, one for each array task" },
  args: {
    in: { type: "string", required: true, valueHint: "FILE", description: "the manifest" },
    outdir: { type: "string", required: true, valueHint: "DIR", description: "where the shards go" },
    "num-shards": { type: "string", required: true, valueHint: "N", description: "how many shards" },
    strategy: flags.strategyArg,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const meta = await shardManifest({
      manifestPath: input.in,
      outdir: input.outdir,
      numShards: input["num-shards"],
      strategy: input.strategy,
      now: new Date(),
    });
    if (input.json) await printJson(meta);
    else {
      const what = `${formatObjects(meta.num_records)}, ${formatBytes(meta.bytes_total)}`;
      await printText(`${input.outdir}: ${meta.num_shards} shards of ${what}\n`);
    }
  },
});
