import { defineCommand } from "citty";
import * as v from "valibot";
import { checksumModes } from "../lib/compare/verify-rule.ts";
import { oneOf, readFlags, requiredText, whole } from "./flags/values.ts";

const schema = v.object({
  "run-dir": requiredText,
  shard: v.optional(whole(0)),
  stride: v.optional(whole(1)),
  verify: v.optional(oneOf(checksumModes)),
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
    verify: {
      type: "string",
      valueHint: checksumModes.join("|"),
      description: "compare the shard with the destination instead of copying it (see xfer verify)",
    },
  },
  async run({ args }) {
    const { runAgent } = await import("../agent/agent.ts");
    const input = readFlags(schema, args);
    const { shard, stride, verify } = input;
    return runAgent({ runDir: input["run-dir"], shard, stride, verify });
  },
});
