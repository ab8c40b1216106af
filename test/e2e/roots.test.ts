import { expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stage, state, timeoutMs } from "../stage/harness.ts";

/** A finished run from src:data to dst:copy/old, whose manifest and shards were then rebased to dst:copy/new. */
async function rebasedRun(): Promise<{ stage: Stage; keys: string[] }> {
  const stage = await Stage.start();
  const keys = stage.fill(60, 2_000);
  const run = await stage.xfer(...stage.runArgs("--dest", "dst:copy/old", "--num-shards", "2"));
  expect(run.code).toBe(0);
  const manifest = join(stage.runDir, "manifest.jsonl");
  const rebased = join(stage.dir, "rebased.jsonl");
  expect(
    (
      await stage.xfer(
        "manifest",
        "rebase",
        "--in",
        manifest,
        "--out",
        rebased,
        "--dest-root",
        "dst:copy/new",
      )
    ).code,
  ).toBe(0);
  renameSync(rebased, manifest);
  return { stage, keys };
}

const shard = (stage: Stage) => [
  ...["manifest", "shard", "--in", join(stage.runDir, "manifest.jsonl")],
  ...["--outdir", join(stage.runDir, "shards"), "--num-shards", "2"],
];

/** Fails unless every source object is below `prefix` of the destination, byte for byte. */
async function expectBelow(stage: Stage, prefix: string, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const [one, other] = await Promise.all([
      stage.source.get("data", key),
      stage.dest.get("copy", prefix + key),
    ]);
    expect(one && other && Buffer.from(one).equals(other)).toBe(true);
  }
}

test(
  "run in a rebased run directory copies everything to the new destination",
  async () => {
    const { stage, keys } = await rebasedRun();
    await using _ = stage;
    const withoutRoots = [
      "run",
      "--executor",
      "local",
      "--rclone-config",
      stage.conf,
      "--run-dir",
      stage.runDir,
    ];
    // Until the shards are cut anew, two files name two destinations.
    const torn = await stage.xfer(...withoutRoots);
    expect(torn.code).toBe(2);
    expect(torn.stderr).toContain(
      `manifest.jsonl has the destination dst:copy/new, but ${join(stage.runDir, "shards/shards.meta.json")} has ` +
        "dst:copy/old: shard the manifest again",
    );
    expect((await stage.xfer(...shard(stage))).code).toBe(0);
    const run = await stage.xfer(...withoutRoots);
    expect(run.stderr).not.toContain("error");
    expect(run.code).toBe(0);
    await expectBelow(stage, "new/", keys);
    expect(state(stage.runDir, 0, "done")).toMatchObject({
      dest_root: "dst:copy/new",
      source_root: "src:data",
    });
    expect(readFileSync(join(stage.runDir, "state/shard_0.journal"), "utf8")).toMatch(
      /^xfer\.journal\.v1 \w{64} \["src:data","dst:copy\/new"\]\n/,
    );
  },
  timeoutMs,
);

test(
  "render takes the roots of the shards, and refuses others; an agent refuses a configuration of others",
  async () => {
    const { stage, keys } = await rebasedRun();
    await using _ = stage;
    expect((await stage.xfer(...shard(stage))).code).toBe(0);
    // The configuration is still that of the old destination.
    const agentArgs = ["agent", "--run-dir", stage.runDir, "--shard", "0"];
    const before = stage.dest.counts.total;
    const stale = await stage.xfer(...agentArgs);
    expect(stale.code).toBe(2);
    expect(stale.stderr).toContain("has the destination dst:copy/new, but ");
    expect(stale.stderr).toContain("config.resolved.json has dst:copy/old: render the run again");
    const render = ["slurm", "render", "--run-dir", stage.runDir, "--runtime", "host"];
    const rclone = ["--rclone-config", stage.conf];
    const refused = await stage.xfer(...render, ...rclone, "--dest-root", "dst:copy/old");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--dest-root is dst:copy/old, but ");
    expect(stage.dest.counts.total).toBe(before);
    // An old manifest beside new shards is not what is copied.
    const old = join(stage.dir, "old.jsonl");
    const back = ["manifest", "rebase", "--in", join(stage.runDir, "manifest.jsonl"), "--out", old];
    expect((await stage.xfer(...back, "--dest-root", "dst:copy/old")).code).toBe(0);
    renameSync(old, join(stage.runDir, "manifest.jsonl"));
    const rendered = await stage.xfer(...render, ...rclone);
    expect(rendered.code).toBe(0);
    expect(rendered.stderr).toContain(
      "have dst:copy/new, which is taken: if the manifest was rebased since, shard it again",
    );
    for (const index of ["0", "1"]) {
      expect((await stage.xfer("agent", "--run-dir", stage.runDir, "--shard", index)).code).toBe(0);
    }
    await expectBelow(stage, "new/", keys);
  },
  timeoutMs,
);

test(
  "shards of an earlier build, which do not say their roots in shards.meta.json, are asked themselves",
  async () => {
    const { stage } = await rebasedRun();
    await using _ = stage;
    expect((await stage.xfer(...shard(stage))).code).toBe(0);
    const metaPath = join(stage.runDir, "shards/shards.meta.json");
    const meta = JSON.parse(readFileSync(metaPath, "utf8")) as Record<string, unknown>;
    delete meta.source_root;
    delete meta.dest_root;
    writeFileSync(metaPath, JSON.stringify(meta));
    const stale = await stage.xfer("agent", "--run-dir", stage.runDir, "--shard", "1");
    expect(stale.code).toBe(2);
    expect(stale.stderr).toContain("has the destination dst:copy/new, but ");
  },
  timeoutMs,
);

test(
  "a .done and a journal that were written for other roots stop the shard, and name both",
  async () => {
    await using stage = await Stage.start();
    stage.fill(20, 1_000);
    const args = stage.runArgs("--num-shards", "1");
    expect((await stage.xfer(...args)).code).toBe(0);
    const done = join(stage.runDir, "state/shard_0.done");
    const journal = join(stage.runDir, "state/shard_0.journal");
    const text = readFileSync(done, "utf8");
    writeFileSync(done, text.replace("dst:copy", "dst:elsewhere"));
    for (const command of [args, ["agent", "--run-dir", stage.runDir, "--shard", "0"]]) {
      const refused = await stage.xfer(...command);
      expect(refused.stderr).toContain("shard_0.done has the destination dst:elsewhere, but ");
      expect(refused.code).toBe(2);
    }
    rmSync(done);
    writeFileSync(journal, readFileSync(journal, "utf8").replace("dst:copy", "dst:elsewhere"));
    const refused = await stage.xfer("agent", "--run-dir", stage.runDir, "--shard", "0");
    expect(refused.stderr).toContain("shard_0.journal has the destination dst:elsewhere, but ");
    expect(refused.code).toBe(2);
    expect(existsSync(done)).toBe(false);
  },
  timeoutMs,
);
