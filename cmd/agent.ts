import { checksumModes } from "../lib/compare/verify-rule.ts";
import { parseNumberList } from "../lib/system/number-list.ts";
import { command } from "./cli/command.ts";
import { flag, noLimit } from "./flags/make.ts";
import { allowUntransferableFlag, shardsMax } from "./flags/plan.ts";
import { runDirFlag } from "./flags/run-dir.ts";

export default command({
  name: "xfer agent",
  description: "Copies one shard of a run: what each task of the Slurm array executes",
  details: [
    "A shard that is done is not looked at again. Another one is copied in passes over what is not proven yet; " +
      "what is left after the last pass is named in the run directory, in state/shard_N.fail. In an array task the agent " +
      "then requeues its own task while attempts are left.",
  ],
  examples: [
    { says: "Copy one shard by hand", line: "xfer agent --run-dir run --shard 12" },
    {
      says: "Compare one shard with the destination",
      line: "xfer agent --run-dir run --shard 12 --verify auto",
    },
  ],
  flags: {
    "run-dir": runDirFlag,
    shard: flag.whole(0, shardsMax - 1, {
      group: "what",
      common: true,
      defaultText: "the array task's own",
      description: "the shard",
    }),
    stride: flag.whole(1, noLimit, {
      group: "slurm",
      common: true,
      description: "copy every Nth shard from the task's own on: shards are packed",
    }),
    only: flag.parsed(parseNumberList, "must be numbers and ranges, such as 3,17,40-44", {
      group: "slurm",
      valueHint: "LIST",
      description: "of the task's shards, these alone",
    }),
    verify: flag.oneOf(checksumModes, {
      group: "what",
      common: true,
      description: "compare the shard with the destination instead of copying it (see xfer verify)",
    }),
    collect: flag.on({
      group: "what",
      description: "add up what --verify has found of all shards: what the last job of a run does",
    }),
    "allow-untransferable": allowUntransferableFlag,
  },
  async run({ "run-dir": runDir, shard, stride, only, verify, collect, ...more }) {
    if (collect) {
      const { collectInQueue } = await import("./collect.ts");
      const allowsUntransferable = more["allow-untransferable"];
      return collectInQueue({ runDir, checksum: verify ?? "auto", allowsUntransferable });
    }
    const { runAgent } = await import("../agent/agent.ts");
    return runAgent({ runDir, shard, stride, only, verify });
  },
});
