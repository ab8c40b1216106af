import type { OptionsOf } from "../flags/flag.ts";
import { listFlags } from "../flags/listing.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { allowUntransferableFlag, compareFlag, shardCount, strategyFlag } from "../flags/plan.ts";
import { rcloneFlags } from "../flags/rclone.ts";
import { renderFlags } from "../flags/render.ts";

const executors = ["slurm", "local"] as const;

export type Executor = (typeof executors)[number];

/** How many shards are cut unless the user says otherwise. */
export const numShardsDefault = { slurm: 256, local: "auto" } as const;

/** The flags of xfer run. */
export const runFlags = {
  source: flag.text({
    valueHint: "ROOT",
    group: "what",
    common: true,
    description: "what to copy: a path, or remote:path",
  }),
  dest: flag.text({
    valueHint: "ROOT",
    group: "what",
    common: true,
    description: "where to: a path, or remote:path",
  }),
  "run-dir": flag.folder({
    default: "run",
    group: "what",
    common: true,
    description: "the run directory; resumes what is there",
  }),
  executor: flag.oneOf(executors, {
    default: "slurm",
    group: "what",
    common: true,
    description: "run the agents as a Slurm array, or here",
  }),
  delta: flag.on({
    group: "what",
    common: true,
    description: "copy only what is missing or differs at the destination",
  }),
  compare: compareFlag,
  verify: flag.onOff({
    group: "what",
    defaultText: "on with --executor local",
    description: "compare the destination's listing with the manifest at the end (local)",
    negativeDescription: "do not compare the destination after the copy",
  }),
  "allow-untransferable": allowUntransferableFlag,
  ...listFlags,
  "num-shards": flag.read(shardCount, {
    valueHint: "N",
    group: "sharding",
    common: true,
    defaultText: `${numShardsDefault.slurm}; ${numShardsDefault.local} with --executor local`,
    description: "how many shards; auto: what xfer manifest analyze suggests",
  }),
  strategy: strategyFlag,
  ...rcloneFlags,
  submit: flag.on({ group: "slurm", common: true, description: "submit the array" }),
  ...renderFlags,
  json: jsonFlag,
};

/** What xfer run gets of its flags. */
export type RunInput = OptionsOf<typeof runFlags>;
