import { expect, test } from "bun:test";
import { readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { listedName } from "../data/hostile-names.ts";
import { Stage, timeoutMs } from "../stage/harness.ts";

function unproven(stage: Stage): { path: string; verdict: string }[] {
  const text = readFileSync(join(stage.runDir, "verify.jsonl"), "utf8").trimEnd();
  return text === ""
    ? []
    : text.split("\n").map((line) => JSON.parse(line) as { path: string; verdict: string });
}

test(
  "from listings alone: what is proven, missing and different is told, and the exit code says so",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(1_500, 20_000);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "4"))).code).toBe(0);
    stage.dest.resetCounts();
    stage.source.resetCounts();
    const verify = ["verify", "--run-dir", stage.runDir];
    const good = await stage.xfer(...verify);
    expect(good.stdout).toContain("hash-proven          1,500 objects");
    expect(good.stdout).toEndWith("verified\n");
    expect(good.code).toBe(0);
    expect(stage.dest.counts.LIST).toBe(2);
    expect(stage.dest.counts.total + stage.source.counts.total).toBeLessThanOrEqual(4);
    expect(unproven(stage)).toEqual([]);
    const totals = JSON.parse(readFileSync(join(stage.runDir, "verify.json"), "utf8"));
    const manifest = readFileSync(join(stage.runDir, "manifest.jsonl"));
    expect(totals).toMatchObject({
      schema: "xfer.verify.v1",
      verified: true,
      hash_proven: 1_500,
      manifest_sha256: new Bun.CryptoHasher("sha256").update(manifest).digest("hex"),
      rclone_version: expect.stringMatching(/^1\./),
    });

    const [gone = "", shorter = "", changed = ""] = keys.slice(0, 3).concat(keys.slice(100, 103)).slice(3);
    stage.dest.remove("copy", gone);
    stage.dest.put("copy", shorter, "x");
    const body = (await stage.source.get("data", changed)) ?? new Uint8Array();
    stage.dest.put(
      "copy",
      changed,
      body.map((byte) => byte ^ 1),
    );
    stage.dest.put("copy", "not-of-this-manifest", "x");
    const bad = await stage.xfer(...verify, "--json");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      verified: false,
      hash_proven: 1_497,
      missing: 1,
      differs: 2,
      size_only: 0,
      extra: 1,
    });
    const wrong = unproven(stage).map(({ path, verdict }) => [path, verdict]);
    expect(wrong.sort()).toEqual(
      [
        [gone, "missing"],
        [shorter, "differs"],
        [changed, "differs"],
      ]
        .map(([key = "", verdict = ""]) => [listedName(key), verdict])
        .sort(),
    );
    // By sizes alone the changed object passes.
    const sizes = await stage.xfer(...verify, "--checksum", "off", "--json");
    expect(JSON.parse(sizes.stdout)).toMatchObject({
      hash_proven: 0,
      size_only: 1_498,
      missing: 1,
      differs: 1,
    });
    const parallel = await stage.xfer(...verify, "--list-parallel", "3", "--json");
    expect(JSON.parse(parallel.stdout)).toMatchObject({
      hash_proven: 1_497,
      missing: 1,
      differs: 2,
      extra: 1,
    });
  },
  timeoutMs,
);

test(
  "objects without a hash are size-only, which --checksum require refuses; a POSIX destination is not read",
  async () => {
    await using stage = await Stage.start();
    for (let i = 0; i < 5; i++) {
      stage.source.put("data", `k${i}`, new Uint8Array(200_000).fill(i), { mtime: new Date(1.7e12) });
    }
    const out = join(stage.dir, "out");
    expect((await stage.xfer(...stage.runArgs("--dest", out, "--num-shards", "1"))).code).toBe(0);
    const verify = ["verify", "--run-dir", stage.runDir, "--json"];
    const auto = await stage.xfer(...verify);
    expect(auto.code).toBe(0);
    expect(JSON.parse(auto.stdout)).toMatchObject({ size_only: 5, verified: true });
    expect(unproven(stage).every(({ verdict }) => verdict === "size-only")).toBe(true);
    const required = await stage.xfer(...verify, "--checksum", "require");
    expect(required.code).toBe(0);
    expect(JSON.parse(required.stdout)).toMatchObject({ hash_proven: 5, verified: true });
    truncateSync(join(out, "k3"), 10);
    expect((await stage.xfer(...verify)).code).toBe(1);
    rmSync(out, { recursive: true });
    const gone = await stage.xfer(...verify);
    expect(gone.code).toBe(1);
    expect(JSON.parse(gone.stdout)).toMatchObject({ missing: 5, verified: false });
  },
  timeoutMs,
);

test(
  "a sample is read whole: content that no listing tells from the right one is found",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(40, 3_000);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "2", "--hash", "off"))).code).toBe(0);
    const verify = ["verify", "--run-dir", stage.runDir, "--json", "--download-sample"];
    const good = await stage.xfer(...verify, "1000");
    expect(JSON.parse(good.stdout)).toMatchObject({
      sampled: 40,
      sampled_differs: 0,
      size_only: 40,
      verified: true,
    });
    expect(good.code).toBe(0);
    const changed = keys[35] ?? "";
    const body = (await stage.source.get("data", changed)) ?? new Uint8Array();
    expect(body.length).toBeGreaterThan(0);
    stage.dest.put(
      "copy",
      changed,
      body.map((byte) => byte ^ 255),
    );
    expect((await stage.xfer(...verify, "0")).code).toBe(0);
    stage.dest.resetCounts();
    const bad = await stage.xfer(...verify, "40");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      sampled: 40,
      sampled_differs: 1,
      differs: 1,
      verified: false,
    });
    expect(
      unproven(stage)
        .filter(({ verdict }) => verdict === "differs")
        .map(({ path }) => path),
    ).toEqual([changed]);
    const few = await stage.xfer(...verify, "7");
    expect(JSON.parse(few.stdout)).toMatchObject({ sampled: 7 });
    // One that cannot be read is no verdict on it.
    stage.dest.inject({ kinds: ["GET"], match: ({ key }) => key === keys[30], action: "forbidden" });
    const unread = await stage.xfer(...verify, "40");
    expect(unread).toMatchObject({ code: 1, stdout: "" });
    expect(unread.stderr).toContain("1 of 40 sampled objects of dst:copy could not be read (exit code ");
  },
  timeoutMs,
);

test(
  "a destination that cannot be listed is no verdict: exit code 1 and no verify.json",
  async () => {
    await using stage = await Stage.start();
    stage.fill(50, 1_000);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "1"))).code).toBe(0);
    const verify = ["verify", "--run-dir", stage.runDir];
    expect((await stage.xfer(...verify)).code).toBe(0);
    stage.dest.inject({ kinds: ["LIST"], action: "forbidden" });
    const failed = await stage.xfer(...verify);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("AccessDenied");
    expect(failed.stdout).toBe("");
    expect(await Bun.file(join(stage.runDir, "verify.json")).exists()).toBe(false);
  },
  timeoutMs,
);
