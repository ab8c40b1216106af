import { expect, test } from "bun:test";
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chunksOf, type ProbeLimits, probeDestination } from "../../agent/probe.ts";
import { remoteContext } from "../../lib/rclone/conf.ts";
import { readRunConfig } from "../../lib/run/config.ts";
import { runLayout, shardLayout } from "../../lib/run/layout.ts";
import { readFindings } from "../../lib/run/state/findings.ts";
import { readShardsMeta } from "../../lib/shard/meta.ts";
import { Stage, timeoutMs } from "../stage/harness.ts";

test.each([
  [[3, 3, 3], 6, [[0, 1], [2]]],
  [[3, 3, 3], 100, [[0, 1, 2]]],
  [[9, 1, 1, 9], 6, [[0], [1, 2], [3]]],
  [[7], 6, [[0]]],
] as [number[], number, number[][]][])("shards of %j records, %d at a time: %j", (records, max, chunks) => {
  expect(chunksOf(records, max)).toEqual(chunks);
});

const limits: ProbeLimits = { recordsMax: 1e6, entriesPerRecord: 50, entriesFree: 1e6 };

/** A run that has ended, looked at again. */
async function stagedProbe(stage: Stage) {
  const keys = stage.fill(400, 5_000);
  expect((await stage.xfer(...stage.runArgs("--num-shards", "4", "--no-verify"))).code).toBe(0);
  rmSync(join(stage.runDir, "state"), { recursive: true });
  const run = runLayout(stage.runDir);
  const meta = readShardsMeta(run.shardsMeta);
  if (!meta) throw new Error("no shards");
  const config = readRunConfig(run.config);
  const stop = new AbortController().signal;
  const context = remoteContext(config.rclone_config ?? undefined, config.runtime);
  const probe = (more: Partial<ProbeLimits> = {}) =>
    probeDestination({ run, config, meta, destKind: "s3", context, stop, limits: { ...limits, ...more } });
  const found = () =>
    meta.shards.map((entry, shard) => readFindings(shardLayout(run, shard).found, entry)?.join(""));
  stage.dest.resetCounts();
  return { keys, run, meta, probe, found };
}

test(
  "what is found is the same whether all records are held at a time or those of one shard",
  async () => {
    await using stage = await Stage.start();
    const { keys, probe, found } = await stagedProbe(stage);
    for (const key of keys.slice(0, 50)) stage.dest.remove("copy", key);
    stage.dest.put("copy", "not of the run", "x");
    expect(await probe()).toMatchObject({
      found: "per-shard",
      listed: 351,
      version: [1, expect.any(Number)],
    });
    expect(stage.dest.counts.LIST).toBe(1);
    const whole = found();
    expect(whole.join("")).toMatch(/^[02]{400}$/);
    expect(whole.join("").replaceAll("0", "")).toHaveLength(350);
    expect(await probe({ recordsMax: 1 })).toMatchObject({ found: "per-shard" });
    expect(stage.dest.counts.LIST).toBe(1 + 4);
    expect(found()).toEqual(whole);
  },
  timeoutMs,
);

test(
  "a destination that holds far more than the run is not listed to its end",
  async () => {
    await using stage = await Stage.start();
    const { probe, found } = await stagedProbe(stage);
    for (let i = 0; i < 30_000; i++) stage.dest.put("copy", `other/${i}`, "");
    expect(await probe({ entriesFree: 0, entriesPerRecord: 5 })).toMatchObject({ found: "too-much" });
    expect(stage.dest.counts.LIST).toBeLessThan(25);
    expect(found()).toEqual([undefined, undefined, undefined, undefined]);
  },
  timeoutMs,
);

test(
  "an empty destination is nothing; a shard whose file is another one takes none of its neighbours' findings away",
  async () => {
    await using stage = await Stage.start();
    const { keys, run, probe, found } = await stagedProbe(stage);
    appendFileSync(shardLayout(run, 1).records, "{}\n");
    await probe();
    const [first, second, ...others] = found();
    expect(second).toBeUndefined();
    for (const one of [first, ...others]) expect(one).toMatch(/^2+$/);
    for (const key of keys) stage.dest.remove("copy", key);
    expect(await probe()).toEqual({ found: "nothing", listed: 0, version: [1, expect.any(Number)] });
  },
  timeoutMs,
);
