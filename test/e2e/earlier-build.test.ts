import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kill, Stage, startXfer, state, timeoutMs, until } from "../stage/harness.ts";

type Fields = Record<string, unknown>;

/** Rewrites a file of JSON without fields that its first writer did not know. */
function withoutFields(path: string, later: readonly string[], earlier: Fields = {}): void {
  const value = JSON.parse(readFileSync(path, "utf8")) as Fields;
  for (const field of later) {
    expect(value).toHaveProperty(field);
    delete value[field];
  }
  writeFileSync(path, `${JSON.stringify({ ...value, ...earlier })}\n`);
}

const countersOfLater = ["walltime_stops", "preemptions", "lost_starts", "other_stops"];

/** Makes of a run directory what the first build would have left there. */
function asOfFirstBuild(runDir: string): void {
  withoutFields(join(runDir, "config.resolved.json"), ["max_restarts"]);
  const metaPath = join(runDir, "shards", "shards.meta.json");
  withoutFields(metaPath, ["source_root", "dest_root", "object_overhead_bytes", "weight_total", "spread"]);
  const meta = JSON.parse(readFileSync(metaPath, "utf8")) as { shards: Fields[] };
  for (const shard of meta.shards) {
    delete shard.weight;
    delete shard.directories;
  }
  writeFileSync(metaPath, JSON.stringify(meta));
  for (const shard of [0, 1]) {
    const path = join(runDir, "state", `shard_${shard}`);
    const later = [
      ...countersOfLater,
      "bad_nodes",
      "transfers",
      "stopped_by",
      "pid_namespace",
      "early_stops",
      "got_to_copy",
    ];
    withoutFields(`${path}.attempt`, later, { stops: 0 });
    withoutFields(`${path}.progress`, ["throttled", "transfers"]);
    const journal = readFileSync(`${path}.journal`, "utf8");
    expect(journal).toMatch(/^xfer\.journal\.v1 \w{64} \[.*\]\n/);
    writeFileSync(`${path}.journal`, journal.replace(/ \[.*\]\n/, "\n"));
  }
  rmSync(join(runDir, "state", "destination.json"));
}

test(
  "a run directory of the first build goes on: by its agent, and by the same command",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(120, 20_000);
    const release = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 100 } });
    const args = stage.runArgs("--num-shards", "2", "--rclone-flags", "--transfers 4");
    const running = startXfer(args, { cwd: stage.dir });
    const underWay = (shard: number) => state(stage.runDir, shard, "attempt")?.child;
    await until("both shards to be copied", () => underWay(0) && underWay(1) && stage.dest.counts.PUT > 30);
    kill(running.pid, "SIGTERM");
    expect((await running.result).code).toBe(75);
    asOfFirstBuild(stage.runDir);
    release();
    const agent = await stage.xfer("agent", "--run-dir", stage.runDir, "--shard", "0");
    expect(agent.stderr).not.toContain("warning");
    expect(agent.code).toBe(0);
    const run = await stage.xfer(...args);
    expect(run.stderr).not.toContain("warning");
    expect(run.code).toBe(0);
    // Both read what was there: neither began at attempt 1, nor copied what was proven.
    for (const shard of [0, 1]) {
      expect(state(stage.runDir, shard, "attempt")).toMatchObject({ attempt: 2, outcome: "done" });
    }
    expect(stage.dest.counts.PUT).toBeLessThanOrEqual(120 + 2 * 4);
    await stage.expectEqual(keys);
  },
  timeoutMs,
);
