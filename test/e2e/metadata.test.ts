import { expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { send } from "../s3/clients.ts";
import type { S3Endpoint } from "../s3/endpoint.ts";
import { rclones } from "../setup/rclones.ts";
import { Stage, state, timeoutMs, xfer } from "../stage/harness.ts";

/** What an object has beside its content; the last value is UTF-8, as clients send it. */
const carried: Record<string, string> = {
  "cache-control": "max-age=60, public",
  "content-disposition": 'attachment; filename="a b.txt"',
  "content-encoding": "br",
  "content-language": "de, en",
  "content-type": "text/x-own; charset=utf-8",
  "x-amz-meta-mtime": "1700000000.123456789",
  "x-amz-meta-project": "blue whale",
  "x-amz-meta-dash-ed_1": "v=1; w=2",
  "x-amz-meta-size": Buffer.from("größe").toString("latin1"),
};
const keys = Array.from({ length: 12 }, (_, i) => `set/object-${i}`);

async function fill(endpoint: S3Endpoint, bytes = 2_000): Promise<void> {
  for (const key of keys) await put(endpoint, "data", key, carried, key.padEnd(bytes, "."));
}

/** Puts an object by a bare signed request. */
async function put(
  endpoint: S3Endpoint,
  bucket: string,
  key: string,
  headers: Record<string, string>,
  body: string,
): Promise<void> {
  const encoded = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, "latin1").toString("utf8")]),
  );
  const { status } = await send(endpoint, {
    method: "PUT",
    path: `/${bucket}/${key}`,
    headers: encoded,
    body,
  });
  expect(status).toBe(200);
}

/** Of these headers, those that a bare HEAD of an object does not give back as they are. */
async function lost(
  endpoint: S3Endpoint,
  bucket: string,
  key: string,
  wanted: Record<string, string> = carried,
): Promise<Record<string, string | undefined>> {
  const { head } = await send(endpoint, { method: "HEAD", path: `/${bucket}/${key}` });
  const lines = head
    .split("\r\n")
    .slice(1)
    .map((line) => line.split(/: ?(.*)/));
  const given = new Map(lines.map(([name = "", value = ""]) => [name, value]));
  const text = (value: string) => Buffer.from(value, "latin1").toString("utf8").toLowerCase();
  const missing = Object.entries(wanted).filter(([name, value]) => given.get(name) !== text(value));
  return Object.fromEntries(missing.map(([name]) => [name, given.get(name)]));
}

const only = (names: string) =>
  Object.fromEntries(Object.entries(carried).filter(([name]) => names.split(" ").includes(name)));

test(
  "with either rclone, S3 to S3 carries headers and user metadata in one GET and one PUT; --no-metadata does not",
  async () => {
    for (const { name, dir } of await rclones()) {
      await using stage = await Stage.start();
      await fill(stage.source);
      const env = { PATH: `${dir}:${process.env.PATH ?? ""}` };
      stage.source.resetCounts();
      const run = await xfer(stage.runArgs("--num-shards", "2"), { cwd: stage.dir, env });
      expect({ name, ...run }).toMatchObject({ name, code: 0 });
      expect(run.stderr).toContain(
        "preserved: content, size, modification time, content type, user metadata",
      );
      const verify = await xfer(["verify", "--run-dir", stage.runDir], { cwd: stage.dir, env });
      expect(verify.stdout).toMatch(/\nmetadata +not compared\nverified\n$/);
      for (const key of keys)
        expect({ name, lost: await lost(stage.dest, "copy", key) }).toEqual({ name, lost: {} });
      expect({ name, ...stage.source.counts }).toMatchObject({ name, GET: keys.length, HEAD: 0 });
      expect({ name, ...stage.dest.counts }).toMatchObject({ name, PUT: keys.length, BUCKET: 0 });
      expect(stage.dest.counts.LIST).toBeLessThanOrEqual(4);

      for (const key of keys) stage.dest.remove("copy", key);
      const without = stage.runArgs(
        "--num-shards",
        "1",
        "--run-dir",
        join(stage.dir, "off"),
        "--no-metadata",
      );
      const off = await xfer(without, { cwd: stage.dir, env });
      expect({ name, ...off }).toMatchObject({ name, code: 0 });
      expect(off.stderr).toContain("; not: user metadata");
      expect(Object.keys(await lost(stage.dest, "copy", keys[0] ?? "")).sort()).toEqual(
        Object.keys(carried)
          .filter((header) => header !== "content-type" && header !== "x-amz-meta-mtime")
          .sort(),
      );
    }
  },
  timeoutMs,
);

test(
  "the storage class goes along as the page of what is preserved says, by rclone's version",
  async () => {
    for (const { name, dir, version } of await rclones()) {
      await using stage = await Stage.start();
      await put(stage.source, "data", "set/cold", { "x-amz-storage-class": "STANDARD_IA" }, "cold");
      const env = { PATH: `${dir}:${process.env.PATH ?? ""}` };
      const run = await xfer(stage.runArgs("--num-shards", "1"), { cwd: stage.dir, env });
      expect({ name, ...run }).toMatchObject({ name, code: 0 });
      const isOld = /^1\.60\./.test(version);
      const wanted = { "x-amz-storage-class": "STANDARD_IA" };
      expect(Object.keys(await lost(stage.dest, "copy", "set/cold", wanted))).toEqual(
        isOld ? ["x-amz-storage-class"] : [],
      );
    }
  },
  timeoutMs,
);

test(
  "objects in parts, objects that rclone asks for first, and those that a server copies keep them too",
  async () => {
    for (const { name, dir } of await rclones()) {
      await using stage = await Stage.start();
      await put(stage.source, "data", "large", carried, "y".repeat(6_000_000));
      const env = { PATH: `${dir}:${process.env.PATH ?? ""}` };
      const sizes = "--retries 1 --s3-upload-cutoff 5M --s3-chunk-size 5M";
      for (const [what, dest, flags] of [
        ["parts", "dst:copy/parts", sizes],
        ["head", "dst:copy/head", `${sizes} --multi-thread-cutoff 5M`],
        ["server", "src:server/set", "--retries 1"],
      ] as const) {
        stage.source.createBucket("server");
        const args = stage.runArgs("--num-shards", "1", "--dest", dest, "--run-dir", join(stage.dir, what));
        const run = await xfer([...args, "--rclone-flags", flags], { cwd: stage.dir, env });
        expect({ name, what, ...run }).toMatchObject({ name, what, code: 0 });
        const [at, bucket] = what === "server" ? [stage.source, "server"] : [stage.dest, "copy"];
        const key = what === "server" ? "set/large" : `${what}/large`;
        const missing = await lost(at, bucket, key);
        expect({ name, what, missing }).toEqual({ name, what, missing: {} });
      }
      expect(stage.dest.counts.PART).toBeGreaterThanOrEqual(4);
    }
  },
  timeoutMs,
);

test(
  "an object that is there with another time keeps its headers when rclone compares it",
  async () => {
    for (const { name, dir } of await rclones()) {
      await using stage = await Stage.start();
      await fill(stage.source);
      const own = { ...carried, "cache-control": "no-store", "x-amz-meta-mtime": "1600000000" };
      for (const key of keys) await put(stage.dest, "copy", key, own, key.padEnd(2_000, "."));
      const env = { PATH: `${dir}:${process.env.PATH ?? ""}` };
      const args = stage.runArgs("--num-shards", "1", "--hash", "off", "--json");
      const run = await xfer(args, { cwd: stage.dir, env });
      expect({ name, ...run }).toMatchObject({ name, code: 0 });
      expect(JSON.parse(run.stdout)).toMatchObject({
        copied: { objects: 0 },
        unchanged: { objects: keys.length },
        verification: { metadata_compared: false },
      });
      expect({ name, lost: await lost(stage.dest, "copy", keys[0] ?? "", own) }).toEqual({ name, lost: {} });
    }
  },
  timeoutMs,
);

test(
  "an object with more user metadata than the store takes is named alone, and the others arrive",
  async () => {
    await using stage = await Stage.start();
    await fill(stage.source);
    // As large as S3 allows; rclone adds the time of the object.
    const full = { "x-amz-meta-mtime": "1700000000", "x-amz-meta-text": "x".repeat(2_048 - 15 - 4) };
    await put(stage.source, "data", "set/full", full, "full");
    const run = await stage.xfer(...stage.runArgs("--num-shards", "1"));
    expect(run.code).toBe(1);
    const fail = state(stage.runDir, 0, "fail");
    expect(fail).toMatchObject({ final: true, proven: keys.length });
    expect(fail?.errors).toMatchObject([{ path: "set/full", class: "path" }]);
    expect(fail?.errors[0]?.message).toContain("MetadataTooLarge");
    rmSync(join(stage.runDir, "state"), { recursive: true });
    const off = await stage.xfer(...stage.runArgs("--num-shards", "1", "--no-metadata"));
    expect(off.code).toBe(0);
    expect(stage.dest.keys("copy")).toContain("set/full");
  },
  timeoutMs,
);

test(
  "--metadata carries a file's mode and attributes to S3 and what S3 has to a file; -M in --rclone-flags counts alike",
  async () => {
    await using stage = await Stage.start();
    await fill(stage.source);
    const out = join(stage.dir, "out");
    const down = stage.runArgs("--num-shards", "1", "--dest", out, "--run-dir", join(stage.dir, "down"));
    const there = await stage.xfer(...down, "--metadata");
    expect(there.code).toBe(0);
    expect(there.stderr).toContain("as extended attributes content type");
    const up = stage.runArgs("--num-shards", "1", "--source", out, "--run-dir", join(stage.dir, "up"));
    const back = await stage.xfer(...up, "--rclone-flags", "-M --retries 1");
    expect(back.code).toBe(0);
    expect(back.stderr).toContain("as user metadata mode");
    const [key = ""] = keys;
    const kept = only("cache-control content-disposition content-encoding content-language content-type");
    expect(await lost(stage.dest, "copy", key, kept)).toEqual({});
    expect(stage.dest.head("copy", key)?.metadata).toMatchObject({ mode: "100644", project: "blue whale" });

    const both = await stage.xfer(...up, "--no-metadata", "--rclone-flags", "-M");
    expect(both).toMatchObject({ code: 2 });
    expect(both.stderr.trim().split("\n")).toHaveLength(1);
  },
  timeoutMs,
);

test(
  "a run that an earlier build rendered goes on, and carries metadata",
  async () => {
    await using stage = await Stage.start();
    await fill(stage.source);
    expect((await stage.xfer(...stage.runArgs("--num-shards", "1", "--no-verify"))).code).toBe(0);
    const path = join(stage.runDir, "config.resolved.json");
    const { metadata, create_bucket, ...earlier } = JSON.parse(readFileSync(path, "utf8"));
    expect({ metadata, create_bucket }).toEqual({ metadata: "auto", create_bucket: false });
    writeFileSync(path, JSON.stringify(earlier));
    rmSync(join(stage.runDir, "state"), { recursive: true });
    for (const key of keys) stage.dest.remove("copy", key);
    const agent = await stage.xfer("agent", "--run-dir", stage.runDir, "--shard", "0");
    expect(agent.code).toBe(0);
    expect(await lost(stage.dest, "copy", keys[0] ?? "")).toEqual({});
  },
  timeoutMs,
);
