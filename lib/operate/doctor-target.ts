import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { placeFlags } from "../rclone/place-flags.ts";
import type { RcloneReach } from "../rclone/reach.ts";
import { reachOf, readRunConfig } from "../run/config.ts";
import { runLayout } from "../run/layout.ts";
import { readShardsMeta } from "../shard/meta.ts";
import { requestOfScript, type TaskRequest } from "../slurm/task-request.ts";
import type { WantedArray } from "./doctor-limits.ts";

/** What starts the agents of the run that is looked at. */
export const doctorExecutors = ["slurm", "local"] as const;

/** What a doctor looks at: a run, or a machine and its cluster in general. */
export interface DoctorTarget {
  /** Absolute; undefined where there is no run. */
  runDir: string | undefined;
  executor: (typeof doctorExecutors)[number];
  /** The image may be missing where there is no run. */
  reach: RcloneReach;
  source: string | undefined;
  dest: string | undefined;
  createBucket: boolean;
  /** Flags of rclone's that say how the places are reached. */
  placeFlags: string[];
  request: TaskRequest;
  array: WantedArray;
  /** How many objects the run copies; undefined where that is not known. */
  objects: number | undefined;
  /** The binary that each task starts, absolute; undefined where xfer runs from its sources. */
  agent: string | undefined;
}

/** The run in a folder, as it was rendered. Throws invalid input where there is none. */
export function targetOfRun(runDir: string, executor: DoctorTarget["executor"]): DoctorTarget {
  const run = runLayout(resolve(runDir));
  const config = readRunConfig(run.config);
  const meta = readShardsMeta(run.shardsMeta);
  return {
    ...{ runDir: run.dir, executor, reach: reachOf(config) },
    ...{ source: config.source_root, dest: config.dest_root, createBucket: config.create_bucket },
    placeFlags: placeFlags(config.rclone_flags),
    request: requestOfScript(
      existsSync(run.sbatchScript) ? readFileSync(run.sbatchScript, "utf8") : "",
      process.env,
    ),
    array: { shards: config.num_shards, atATime: config.array_concurrency },
    objects: meta?.num_records,
    agent: existsSync(run.agentPath) ? readFileSync(run.agentPath, "utf8").trimEnd() : run.binary,
  };
}
