import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listedName } from "../data/hostile-names.ts";
import { Stage, saidIn, timeoutMs } from "../stage/harness.ts";

const lines = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
const pathOf = (line: string) => (JSON.parse(line) as { path: string }).path;

/** A source of 1,200 objects with a manifest, and a destination that holds them all. */
async function copied(): Promise<{ stage: Stage; manifest: string; keys: string[] }> {
  const stage = await Stage.start();
  const keys = stage.fill(1_200, 2_000);
  const manifest = join(stage.dir, "m.jsonl");
  const built = await stage.xfer(
    ...["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", "dst:copy"],
    ...["--rclone-config", stage.conf, "--out", manifest],
  );
  expect(built.code).toBe(0);
  for (const key of keys) {
    const body = await stage.source.get("data", key);
    if (body) stage.dest.put("copy", key, body);
  }
  stage.dest.resetCounts();
  stage.source.resetCounts();
  return { stage, manifest, keys };
}

function delta(stage: Stage, ...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return stage.xfer(
    ...["manifest", "delta", "--runtime", "host", "--rclone-config", stage.conf],
    ...["--in", "m.jsonl", "--json", ...more],
  );
}

test(
  "a delta holds what is new or changed at the destination, and costs LIST only",
  async () => {
    const { stage, manifest, keys } = await copied();
    await using _ = stage;
    const [gone = "", grown = "", rewritten = "", ...rest] = keys;
    const body = (await stage.source.get("data", rewritten)) ?? new Uint8Array();
    expect(body.length).toBeGreaterThan(0);
    stage.dest.remove("copy", gone);
    stage.dest.put("copy", grown, new Uint8Array(3_000_000));
    stage.dest.put(
      "copy",
      rewritten,
      body.map((byte) => byte ^ 1),
    );
    stage.dest.put("copy", "only here/ä\nb", new Uint8Array(1));
    const bySize = await delta(stage, "--out", "size.jsonl", "--extra-out", "extra.txt");
    expect(saidIn(bySize.stderr)).toBe("");
    expect(JSON.parse(bySize.stdout)).toMatchObject({
      ...{ schema: "xfer.delta.v1", dest_root: "dst:copy", compare: "size" },
      ...{ new: 1, changed: 1, same: rest.length + 1, extra: 1, not_comparable: 0 },
    });
    const all = lines(manifest);
    const want = (...wanted: string[]) => all.filter((line) => wanted.map(listedName).includes(pathOf(line)));
    expect(lines(join(stage.dir, "size.jsonl"))).toEqual(want(gone, grown));
    expect(readFileSync(join(stage.dir, "extra.txt"), "utf8")).toBe(`${listedName("only here/ä\nb")}\n`);
    const bySum = await delta(stage, "--out", "sum.jsonl", "--compare", "checksum");
    expect(JSON.parse(bySum.stdout)).toMatchObject({ new: 1, changed: 2, same: rest.length, extra: 1 });
    expect(lines(join(stage.dir, "sum.jsonl"))).toEqual(want(gone, grown, rewritten));
    const byTime = await delta(stage, "--out", "time.jsonl", "--compare", "mtime");
    // The destination's objects were written after the source's.
    expect(JSON.parse(byTime.stdout)).toMatchObject({ new: 1, changed: 1, same: rest.length + 1, extra: 1 });
    expect(stage.source.counts.total).toBe(0);
    expect(stage.dest.counts.LIST).toBe(6);
    expect(stage.dest.counts.total).toBe(6);
  },
  timeoutMs,
);

test(
  "mtime: a source object that was written after its copy is changed; no hash or no time is never the same",
  async () => {
    const { stage } = await copied();
    await using _ = stage;
    await Bun.sleep(1_100);
    const key = stage.source.keys("data").find((name) => name.startsWith("set-")) ?? "";
    const body = (await stage.source.get("data", key)) ?? new Uint8Array();
    stage.source.put("data", key, body);
    const build = ["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", "dst:copy"];
    const again = await stage.xfer(...build, "--rclone-config", stage.conf, "--out", "again.jsonl");
    expect(again.code).toBe(0);
    const newer = await delta(stage, "--in", "again.jsonl", "--out", "d1.jsonl", "--compare", "mtime");
    expect(JSON.parse(newer.stdout)).toMatchObject({ new: 0, changed: 1, same: 1_199, not_comparable: 0 });
    expect(lines(join(stage.dir, "d1.jsonl")).map(pathOf)).toEqual([key]);
    stage.dest.put("copy", key, body, { partSizeBytes: 64 });
    const parts = await delta(stage, "--out", "d2.jsonl", "--compare", "checksum");
    expect(JSON.parse(parts.stdout)).toMatchObject({ new: 0, changed: 1, same: 1_199, not_comparable: 1 });
    expect(parts.stderr).toContain("warning: 1 object of equal size count as changed: no MD5 hash is known");
    const flags = ["--no-modtime", "--hash", "off", "--rclone-config", stage.conf, "--out", "bare.jsonl"];
    expect((await stage.xfer(...build, ...flags)).code).toBe(0);
    for (const compare of ["checksum", "mtime"]) {
      const args = ["--in", "bare.jsonl", "--out", `bare-${compare}.jsonl`, "--compare", compare];
      const bare = await delta(stage, ...args);
      expect(JSON.parse(bare.stdout)).toMatchObject({
        new: 0,
        changed: 1_200,
        same: 0,
        not_comparable: 1_200,
      });
    }
  },
  timeoutMs,
);

test(
  "an empty or absent destination makes everything new; a listing that fails leaves no delta",
  async () => {
    await using stage = await Stage.start();
    stage.fill(1_100, 1_000);
    for (const [name, dest] of [
      ["empty", "dst:copy"],
      ["prefix", "dst:copy/none"],
      ["bucket", "dst:nobucket/x"],
      ["path", join(stage.dir, "nowhere")],
    ] as const) {
      const out = `${name}.jsonl`;
      const built = await stage.xfer(
        ...["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", dest],
        ...["--rclone-config", stage.conf, "--out", out],
      );
      expect(built.code).toBe(0);
      const result = await delta(stage, "--in", out, "--out", `${name}.delta`);
      expect(saidIn(result.stderr)).toBe("");
      expect(JSON.parse(result.stdout)).toMatchObject({ new: 1_100, changed: 0, same: 0, extra: 0 });
      expect(lines(join(stage.dir, `${name}.delta`))).toEqual(lines(join(stage.dir, out)));
    }
    for (const key of stage.source.keys("data")) stage.dest.put("copy", key, new Uint8Array(1));
    let pages = 0;
    stage.dest.inject({ kinds: ["LIST"], match: () => ++pages > 1, action: "forbidden" });
    const failed = await delta(stage, "--in", "empty.jsonl", "--out", "d.jsonl", "--extra-out", "e.txt");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^xfer: listing dst:copy failed: .*AccessDenied/);
    expect(readdirSync(stage.dir).filter((name) => /^(?:d\.jsonl|e\.txt)/.test(name))).toEqual([]);
  },
  timeoutMs,
);

test(
  "a delta of a bad manifest: file and line, and nothing is written",
  async () => {
    const { stage, manifest } = await copied();
    await using _ = stage;
    const [first = "", second = ""] = lines(manifest);
    for (const [text, message] of [
      ["", /^xfer: bad\.jsonl: the manifest is empty\n$/],
      [`${first}\n{"torn`, /^xfer: bad\.jsonl:2: not a manifest record/],
      [`${first}\n${second}\n${first}\n`, /^xfer: bad\.jsonl:3: the key is in line 1 already: /],
      [`${first}\n${second.replaceAll("dst:copy", "dst:other")}\n`, /^xfer: bad\.jsonl:2: .* other roots/],
    ] as const) {
      await Bun.write(join(stage.dir, "bad.jsonl"), text);
      const result = await delta(stage, "--in", "bad.jsonl", "--out", "d.jsonl");
      expect(result.stderr).toMatch(message);
      expect(result.code).toBe(2);
    }
    expect(existsSync(join(stage.dir, "d.jsonl"))).toBe(false);
    const taken = await delta(stage, "--out", "m.jsonl");
    expect(taken.stderr).toContain("--out: m.jsonl is there already");
    expect(taken.code).toBe(2);
    expect(stage.dest.counts.total).toBe(0);
  },
  timeoutMs,
);

test(
  "run --delta copies only what a grown data set has more; the same command goes on, and then there is nothing to do",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(300, 10_000);
    const shards = ["--num-shards", "4"];
    const whole = await stage.xfer(...stage.runArgs(...shards));
    expect(whole.code).toBe(0);
    await stage.expectEqual(keys);
    const added = Array.from({ length: 40 }, (_, i) => `grown #${i}/é "x"`);
    for (const key of added) stage.source.put("data", key, `content of ${key}`, { mtime: new Date(0) });
    const [changed = ""] = keys;
    stage.source.put("data", changed, "changed", { mtime: new Date(0) });
    const refused = await stage.xfer(...stage.runArgs(...shards, "--delta"));
    expect(refused.stderr).toContain("was cut from manifest.jsonl already");
    expect(refused.code).toBe(2);
    const second = stage.runArgs(...shards, "--delta", "--run-dir", "second", "--list-parallel", "3");
    // One object cannot be written at first: the run fails, and the same command goes on.
    const heal = stage.dest.inject({
      kinds: ["PUT"],
      match: ({ key }) => key === added[7],
      action: "forbidden",
    });
    const failed = await stage.xfer(...second, "--rclone-flags", "--retries 1", "--max-attempts", "1");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("40 new, 1 changed, 299 same, 0 extra");
    heal();
    stage.dest.resetCounts();
    stage.source.resetCounts();
    const went = await stage.xfer(...second, "--no-verify");
    expect(went.code).toBe(0);
    const rows = went.stdout.split("\n").map((line) => line.split(/\s+/).slice(0, 2).join(" "));
    expect(rows.slice(0, 4)).toEqual(["listed 340", "copied 41", "unchanged 299", "failed 0"]);
    expect(stage.source.counts).toMatchObject({ GET: 1, LIST: 0 });
    expect(stage.dest.counts).toMatchObject({ PUT: 1, LIST: 0 });
    await stage.expectEqual([...keys, ...added]);
    expect(lines(join(stage.dir, "second", "manifest.jsonl")).length).toBe(340);
    expect(lines(join(stage.dir, "second", "delta.jsonl")).length).toBe(41);
    const meta = JSON.parse(readFileSync(join(stage.dir, "second", "shards", "shards.meta.json"), "utf8"));
    expect(meta).toMatchObject({ input: "delta.jsonl", num_records: 41 });
    stage.dest.resetCounts();
    for (let i = 0; i < 2; i++) {
      const third = stage.runArgs("--delta", "--run-dir", "third", "--compare", "checksum");
      const nothing = await stage.xfer(...third);
      expect(nothing.stdout).toStartWith(
        "nothing to copy: the destination holds every object, compared by checksum\nverified: 340 by size and MD5",
      );
      expect(nothing.code).toBe(0);
      const json = await stage.xfer(...third, "--json");
      expect(JSON.parse(json.stdout)).toMatchObject({
        ...{ schema: "xfer.account.v1", listed: { objects: 340 }, unchanged: { objects: 340 } },
        ...{ copied: { objects: 0, bytes: 0 }, failed: { objects: 0 }, unfinished: { objects: 0 } },
      });
    }
    // One for the bucket, before the source is listed; one for each delta, and one for each verification.
    expect(stage.dest.counts).toMatchObject({ LIST: 9, HEAD: 0, PUT: 0, total: 9 });
    expect(existsSync(join(stage.dir, "third", "shards"))).toBe(false);
  },
  timeoutMs,
);
