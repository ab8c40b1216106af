import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderRun } from "../../../lib/launch/render.ts";
import { type RunLayout, runLayout } from "../../../lib/run/layout.ts";
import { noteSubmission } from "../../../lib/run/submissions.ts";
import { recordLine } from "../../data/manifest.ts";
import { requestOf } from "../launch/request-of.ts";

/** A rendered run of so many shards of one object, of which nothing has started. */
export async function runOf(dir: string, numShards: number): Promise<RunLayout> {
  const request = { ...requestOf(dir), agent: { path: "/bin/true" } };
  const run = runLayout(request.runDir);
  mkdirSync(run.shardsDir, { recursive: true });
  mkdirSync(run.stateDir, { recursive: true });
  writeFileSync(request.manifestPath, recordLine({ path: "a", size: 1 }));
  const shards = Array.from({ length: numShards }, () => ({ records: 1, bytes: 1, sha256: "a".repeat(64) }));
  const meta = {
    ...{
      schema: "xfer.shards.v1",
      input: "manifest.jsonl",
      outdir: "shards",
      strategy: "bytes",
      created_at: "",
    },
    ...{ num_shards: numShards, num_records: numShards, bytes_total: numShards, keys_distinct: true },
    ...{ source_root: "src:bucket/set", dest_root: "dst:bucket/set", shards },
  };
  writeFileSync(join(run.shardsDir, "shards.meta.json"), JSON.stringify(meta));
  await renderRun(request);
  return run;
}

/** Notes an array of a shard a task as submitted. */
export function submitted(run: RunLayout, jobId: string, kind: "copy" | "verify" = "copy"): void {
  noteSubmission(run, { jobId, kind, numShards: 4, numTasks: 4, now: new Date("2026-11-25T07:00:00Z") });
}
