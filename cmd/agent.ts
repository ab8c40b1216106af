import { defineCommand } from "citty";
import * as v from "valibot";
import { readFlags, requiredText, whole } from "./flags.ts";

const schema = v.object({
  "run-dir": requiredText,
  shard: v.optional(whole(0)),
  stride: v.optional(whole(1)),
});

export default defineCommand({
  meta: {
    name: "xfer agent",
    description: "Copies one shard of a run: what each task of the Slurm array executes",
  },
  args: {
    "run-dir": { type: "string", required: true, valueHint: "DIR", description: "the run directory" },
    shard: { type: "string", valueHint: "N", description: "the shard; an array task knows its own" },
    stride: {
      type: "string",
      valueHint: "N",
      description: "copy every Nth shard from the task's own on: shards are packed",
    },
  },
  async run({ args }) {
    const { runAgent } = await import("../agent/agent.ts");
    const input = readFlags(schema, args);
    return runAgent({ runDir: input["run-dir"], shard: input.shard, stride: input.stride });
  },
});
