import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measure } from "../bench/measure.ts";
import { writeSeededManifest } from "../data/manifest.ts";
import { binary, Stage, state, timeoutMs } from "../stage/harness.ts";

test(
  "a shard of a million records, of which all but the last are proven: one GET, in less than 100 MB; 260 MB with a look",
  async () => {
    await using stage = await Stage.start();
    const records = 1_000_000;
    mkdirSync(stage.runDir);
    const [seeded, manifest] = [join(stage.dir, "seeded.jsonl"), join(stage.runDir, "manifest.jsonl")];
    writeSeededManifest(seeded, records, 3);
    const roots = ["--source-root", "src:data/set", "--dest-root", "dst:copy/set"];
    expect((await stage.xfer("manifest", "rebase", "--in", seeded, "--out", manifest, ...roots)).code).toBe(
      0,
    );
    const shards = join(stage.runDir, "shards");
    const made = await stage.xfer(
      "manifest",
      "shard",
      "--in",
      manifest,
      "--outdir",
      shards,
      "--num-shards",
      "1",
    );
    expect(made.code).toBe(0);
    const rendered = await stage.xfer(
      ...["slurm", "render", "--runtime", "host", "--run-dir", stage.runDir, "--rclone-config", stage.conf],
    );
    expect(rendered.code).toBe(0);
    const { sha256 } = JSON.parse(readFileSync(join(shards, "shards.meta.json"), "utf8")).shards[0];
    const places = Array.from({ length: records - 1 }, (_, place) => `c${place}\n`).join("");
    const journal = join(stage.runDir, "state", "shard_0.journal");
    writeFileSync(journal, `xfer.journal.v1 ${sha256}\n${places}`);
    const lines = readFileSync(join(shards, "shard_000000.jsonl"), "utf8").trimEnd();
    const { path } = JSON.parse(lines.slice(lines.lastIndexOf("\n") + 1));
    stage.source.put("data", `set/${path}`, "the last one");
    stage.source.resetCounts();
    const agent = await measure([binary, "agent", "--run-dir", stage.runDir, "--shard", "0"], stage.dir);
    expect(agent.stderr).toContain(`${(records - 1).toLocaleString("en-US")} objects proven before`);
    expect(agent.code).toBe(0);
    expect(stage.dest.keys("copy")).toEqual([`set/${path}`]);
    expect(stage.source.counts.GET).toBe(1);
    expect(state(stage.runDir, 0, "done")).toMatchObject({ records });
    expect(agent.peakBytes).toBeGreaterThan(20e6);
    expect(agent.peakBytes).toBeLessThan(100e6);
    // The same where the destination is not empty: all records are held beside its listing.
    rmSync(join(stage.runDir, "state"), { recursive: true });
    mkdirSync(join(stage.runDir, "state"));
    writeFileSync(journal, `xfer.journal.v1 ${sha256}\n${places}`);
    const looking = await measure([binary, "agent", "--run-dir", stage.runDir, "--shard", "0"], stage.dir);
    expect(looking.stderr).toContain(`${(records - 1).toLocaleString("en-US")} objects proven before`);
    expect(looking.code).toBe(0);
    expect(state(stage.runDir, 0, "done")).toMatchObject({ records, copied: records });
    expect(looking.peakBytes).toBeGreaterThan(agent.peakBytes);
    expect(looking.peakBytes).toBeLessThan(260e6);
  },
  timeoutMs,
);
