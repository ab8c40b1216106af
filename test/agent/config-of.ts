import type { RunConfig } from "../../lib/run/config.ts";

/** The configuration of a run between two places, with rclone from PATH. */
export function configOf(sourceRoot: string, destRoot: string, more: Partial<RunConfig> = {}): RunConfig {
  return {
    schema: "xfer.runconfig.v1",
    xfer_version: "0.0.0",
    created_at: "2026-01-01T00:00:00Z",
    run_id: "20260101T000000Z_abcdef",
    source_root: sourceRoot,
    dest_root: destRoot,
    num_shards: 1,
    runtime: "host",
    rclone_image: null,
    rclone_config: null,
    rclone_conf_in_container: "/etc/rclone.conf",
    rclone_flags: [],
    metadata: "auto",
    create_bucket: false,
    pyxis_extra: [],
    cpus_per_task: 4,
    max_attempts: 5,
    max_restarts: 50,
    array_concurrency: 1,
    job_name: "xfer",
    stop_lead_seconds: 120,
    ...more,
  };
}
