import * as v from "valibot";
import { metadataModes } from "../rclone/preserved.ts";
import type { RcloneReach } from "../rclone/reach.ts";
import { runtimeNames } from "../rclone/runtime.ts";
import { writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";
import { count } from "../system/schemas.ts";

const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** The default of --max-restarts: how many starts that were ended from outside spend no attempt. */
export const maxRestartsDefault = 50;

/** A field that earlier builds did not write is optional and has a default, so that their run directories can go on. */
export const configSchema = v.strictObject({
  schema: v.literal("xfer.runconfig.v1"),
  xfer_version: v.string(),
  created_at: v.string(),
  run_id: v.string(),
  source_root: v.string(),
  dest_root: v.string(),
  num_shards: positive,
  /** How rclone is reached where the agent runs. */
  runtime: v.picklist(runtimeNames),
  rclone_image: v.nullable(v.string()),
  /** The path of rclone.conf where the agent runs; null for rclone's own default. */
  rclone_config: v.nullable(v.string()),
  rclone_conf_in_container: v.string(),
  /** The user's flags, as words. */
  rclone_flags: v.array(v.string()),
  /** Whether rclone is asked to carry metadata. */
  metadata: v.optional(v.picklist(metadataModes), "auto"),
  /** Whether a destination bucket that is not there is created. */
  create_bucket: v.optional(v.boolean(), false),
  pyxis_extra: v.array(v.string()),
  cpus_per_task: positive,
  max_attempts: positive,
  /** How many starts that were ended from outside, and made progress, spend no attempt. */
  max_restarts: v.optional(count, maxRestartsDefault),
  array_concurrency: positive,
  job_name: v.string(),
  stop_lead_seconds: count,
  /** Tells this run from others, also after it was rendered again. The batch script looks for it. */
  run_key: v.optional(v.string()),
});

/** The content of config.resolved.json, schema xfer.runconfig.v1: everything that an agent needs to know beside its shard. */
export type RunConfig = v.InferOutput<typeof configSchema>;

/** How rclone is reached where the agents of a run work. */
export function reachOf(config: RunConfig): RcloneReach {
  return {
    runtime: config.runtime,
    image: config.rclone_image ?? undefined,
    configPath: config.rclone_config ?? undefined,
    confInContainer: config.rclone_conf_in_container,
    pyxisExtra: config.pyxis_extra,
  };
}

/** The key of a run, hexadecimal. Every rendering of this manifest between these roots has the same key. */
export function runKeyOf(run: Pick<RunConfig, "run_id" | "source_root" | "dest_root">): string {
  const named = JSON.stringify([run.run_id, run.source_root, run.dest_root]);
  return new Bun.CryptoHasher("sha256").update(named).digest("hex").slice(0, 16);
}

/** Reads config.resolved.json. Throws invalid input when there is none, or when it is torn or of another schema. */
export function readRunConfig(path: string): RunConfig {
  const file = readJsonFile(path, configSchema);
  switch (file.kind) {
    case "value":
      return file.value;
    case "none":
      throw invalidInput(
        `${path}: no such file: not a rendered run directory (see xfer slurm render --help)`,
      );
    case "torn":
      throw invalidInput(`${path}: ${file.problem}: render the run again`);
    case "foreign":
      throw invalidInput(
        `${path}: not of schema xfer.runconfig.v1: ${file.problem}: render the run again, or use the xfer that wrote it`,
      );
  }
}

/** Writes config.resolved.json, checked by the schema that its readers use. */
export function writeRunConfig(path: string, config: RunConfig): void {
  writeFileDurable(path, `${JSON.stringify(v.parse(configSchema, config), null, 2)}\n`);
}
