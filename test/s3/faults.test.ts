import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { limitMs } from "../setup/pace.ts";
import { rclone, rcloneOk, temporaryDirectory } from "./clients.ts";
import { type FaultAction, type Kind, S3Endpoint } from "./endpoint.ts";

const timeoutMs = limitMs(120_000);
const bytes = new Uint8Array(3_000_000).map((_, i) => i ^ (i >> 9));

for (const [action, kind] of [
  ["slowdown", "GET"],
  ["slowdown", "PUT"],
  ["internal-error", "GET"],
  ["internal-error", "PUT"],
  ["too-many", "GET"],
  ["reset", "GET"],
  ["reset", "PUT"],
  [{ resetAfterBytes: 1_000_000 }, "GET"],
  [{ resetAfterBytes: 1_000_000 }, "PUT"],
] satisfies [FaultAction, Kind][]) {
  test(
    `rclone gets over ${JSON.stringify(action)} of a ${kind} by trying again`,
    async () => {
      await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
      using directory = temporaryDirectory();
      const config = endpoint.rcloneSection("m");
      const path = join(directory.path, "file");
      endpoint.inject({ kinds: [kind], action, times: 2 });
      if (kind === "GET") {
        endpoint.put("bucket", "key", bytes);
        await rcloneOk(config, ["copyto", "m:bucket/key", path]);
      } else {
        writeFileSync(path, bytes);
        await rcloneOk(config, ["copyto", path, "m:bucket/key"]);
      }
      expect(endpoint.requestsFor("bucket", "key")[kind]).toBe(3);
      expect(Bun.hash((await endpoint.get("bucket", "key")) ?? "")).toBe(Bun.hash(bytes));
      expect(Bun.hash(readFileSync(path))).toBe(Bun.hash(bytes));
    },
    timeoutMs,
  );
}

test(
  "an error that stays is reported in S3's words, and ends when the rule is taken away",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    using directory = temporaryDirectory();
    const config = endpoint.rcloneSection("m");
    const copy = ["copyto", "--retries", "1", "--low-level-retries", "1"];
    endpoint.put("bucket", "key", "body");
    for (const [action, code, status] of [
      ["forbidden", "AccessDenied", 403],
      ["not-found", "NoSuchKey", 404],
      ["slowdown", "SlowDown", 503],
      ["internal-error", "InternalError", 500],
      ["too-many", "TooManyRequests", 429],
    ] as const) {
      endpoint.resetCounts();
      const remove = endpoint.inject({ kinds: ["GET"], match: ({ key }) => key === "key", action });
      const failed = await rclone(config, [...copy, "m:bucket/key", join(directory.path, action)]);
      remove();
      expect(failed.exitCode).not.toBe(0);
      expect(failed.stderr).toContain(code);
      expect(endpoint.counts.errors[status]).toBe(endpoint.counts.GET);
      expect(existsSync(join(directory.path, action))).toBe(false);
      await rcloneOk(config, [...copy, "m:bucket/key", join(directory.path, action)]);
    }
  },
  timeoutMs,
);

test(
  "a key that vanishes after it was listed fails alone",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    using directory = temporaryDirectory();
    for (const key of ["a", "b", "c"]) endpoint.put("bucket", key, `body ${key}`);
    endpoint.inject({
      kinds: ["GET"],
      match: () => {
        endpoint.remove("bucket", "b");
        return false;
      },
      action: "reset",
    });
    const list = join(directory.path, "list");
    writeFileSync(list, "a\nb\nc\n");
    const flags = ["--no-traverse", "--s3-no-head-object", "--retries", "1", "--files-from-raw", list];
    const target = join(directory.path, "down");
    const result = await rclone(endpoint.rcloneSection("m"), [
      "copy",
      ...flags,
      "--transfers",
      "1",
      "m:bucket",
      target,
    ]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("NoSuchKey");
    expect([existsSync(join(target, "a")), existsSync(join(target, "c"))]).toEqual([true, true]);
  },
  timeoutMs,
);

test(
  "a stalled request is left by rclone's own timeout, and stop() does not wait for it",
  async () => {
    const endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    endpoint.put("bucket", "key", "body");
    const config = endpoint.rcloneSection("m");
    endpoint.inject({ kinds: ["GET"], action: "stall", times: 1 });
    const cat = ["cat", "--timeout", "2s", "m:bucket/key"];
    expect(await rcloneOk(config, cat)).toBe("body");
    expect(endpoint.counts.GET).toBe(2);

    endpoint.inject({ kinds: ["GET"], action: "stall" });
    endpoint.resetCounts();
    const stuck = rclone(config, ["cat", "--retries", "1", "--low-level-retries", "1", "m:bucket/key"]);
    while (endpoint.counts.GET === 0) await Bun.sleep(5);
    await endpoint.stop();
    expect((await stuck).exitCode).not.toBe(0);
  },
  timeoutMs,
);

test(
  "a delay holds requests back without failing them, and shows how many run at once",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    using directory = temporaryDirectory();
    const source = join(directory.path, "up");
    mkdirSync(source);
    for (let i = 0; i < 12; i++) writeFileSync(join(source, `f${i}`), "x");
    endpoint.inject({ kinds: ["PUT"], action: { delayMs: 300 } });
    const started = performance.now();
    await rcloneOk(endpoint.rcloneSection("m"), ["copy", "--transfers", "6", source, "m:bucket"]);
    expect(performance.now() - started).toBeGreaterThan(600);
    expect(endpoint.counts.maxInFlight).toBeGreaterThan(2);
    expect(endpoint.counts.maxInFlight).toBeLessThanOrEqual(6);
    expect(endpoint.keys("bucket").length).toBe(12);
    endpoint.resetCounts();
    expect(endpoint.counts.maxInFlight).toBe(0);
  },
  timeoutMs,
);

test(
  "chance faults are the same for the same seed and hit about the share that was asked for",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    const config = endpoint.rcloneSection("m");
    for (let i = 0; i < 200; i++) endpoint.put("bucket", `k${i}`, "x");
    const errors: (number | undefined)[] = [];
    for (let run = 0; run < 2; run++) {
      endpoint.resetCounts();
      const remove = endpoint.inject({ kinds: ["GET"], action: "forbidden", probability: 0.3, seed: 42 });
      const flags = ["--retries", "1", "--low-level-retries", "1", "--transfers", "1"];
      using directory = temporaryDirectory();
      await rclone(config, ["copy", ...flags, "m:bucket", directory.path]);
      remove();
      errors.push(endpoint.counts.errors[403]);
    }
    expect(errors[0]).toBe(errors[1] ?? -1);
    expect(errors[0]).toBeGreaterThan(30);
    expect(errors[0]).toBeLessThan(90);
  },
  timeoutMs,
);

test(
  "a rule beyond four refuses only what arrives while four are being served",
  async () => {
    await using endpoint = await S3Endpoint.start({ buckets: ["bucket"] });
    using directory = temporaryDirectory();
    endpoint.inject({ kinds: ["PUT"], action: "slowdown", beyond: 4 });
    endpoint.inject({ kinds: ["PUT"], action: { delayMs: 200 } });
    for (let i = 0; i < 40; i++) writeFileSync(join(directory.path, `f${i}`), `${i}`);
    const copy = (transfers: number) =>
      rcloneOk(endpoint.rcloneSection("m"), [
        ...["copy", directory.path, "m:bucket", "--no-check-dest", "--s3-no-head"],
        ...["--transfers", String(transfers)],
      ]);
    await copy(4);
    expect(endpoint.counts).toMatchObject({ PUT: 40, errors: {} });
    endpoint.resetCounts();
    await copy(16);
    expect(endpoint.counts.errors["503"] ?? 0).toBeGreaterThan(5);
    expect(endpoint.counts.PUT - (endpoint.counts.errors["503"] ?? 0)).toBe(40);
    expect(endpoint.keys("bucket").length).toBe(40);
  },
  timeoutMs,
);
