import { clusterDefaults } from "../../lib/estimate/cost-model.ts";
import { clusterFlag, posixListFlag } from "../flags/cluster.ts";
import type { OptionsOf } from "../flags/flag.ts";
import { listFlags, listRootFlag } from "../flags/listing.ts";
import { flag } from "../flags/make.ts";
import { rootFlags } from "../flags/manifest.ts";
import { jsonFlag } from "../flags/output.ts";
import { allowUntransferableFlag, compareFlag, shardCount, strategyFlag } from "../flags/plan.ts";
import { rcloneFlags } from "../flags/rclone.ts";
import { forceFlag, renderFlags } from "../flags/render.ts";
import { defaultRunDir } from "../flags/run-dir.ts";

const executors = ["slurm", "local"] as const;

export type Executor = (typeof executors)[number];

/** How many shards are cut unless the user says otherwise. */
export const numShardsDefault = { slurm: 256, local: "auto" } as const;

/** The flags of xfer run. */
export const runFlags = {
  ...rootFlags,
  "run-dir": flag.folder({
    default: defaultRunDir,
    group: "what",
    common: true,
    description: "the run directory, new or begun",
  }),
  executor: flag.oneOf(executors, {
    default: "slurm",
    group: "what",
    common: true,
    description: "as a Slurm array, or on this machine",
  }),
  delta: flag.on({
    group: "what",
    common: true,
    description: "copy only what is missing or differs there",
  }),
  compare: compareFlag,
  verify: flag.onOff({
    group: "what",
    defaultText: "local: on",
    description: "end with a comparison of the destination's listing; with --submit as jobs after the array",
    negativeDescription: "do not compare the destination after the copy",
  }),
  "allow-untransferable": allowUntransferableFlag,
  ...listFlags,
  "list-root": listRootFlag,
  "posix-list": posixListFlag,
  "num-shards": flag.read(shardCount, {
    valueHint: "N",
    group: "sharding",
    common: true,
    defaultText: `${numShardsDefault.slurm}; local: ${numShardsDefault.local}`,
    description: "how many shards, or auto",
  }),
  strategy: strategyFlag,
  ...rcloneFlags,
  runtime: { ...rcloneFlags.runtime, defaultText: "pyxis; local: host" },
  submit: flag.on({ group: "slurm", common: true, description: "submit the array" }),
  force: forceFlag,
  watch: flag.on({
    group: "slurm",
    common: true,
    description: "wait for the array, and compare the destination when it has ended",
  }),
  ...renderFlags,
  "array-concurrency": {
    ...renderFlags["array-concurrency"],
    defaultText: `${clusterDefaults.arrayConcurrency}; local: one a CPU`,
  },
  cluster: clusterFlag,
  "build-cluster": flag.text({
    group: "listing",
    valueHint: "NAME",
    description: "list at this cluster, and bring the manifest to the one of --cluster",
  }),
  "dry-run": flag.on({
    group: "output",
    common: true,
    alias: "n",
    description: "tell what would be done, and do nothing",
  }),
  json: jsonFlag,
};

/** What xfer run gets of its flags. */
export type RunInput = OptionsOf<typeof runFlags>;
