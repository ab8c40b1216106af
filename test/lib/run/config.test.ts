import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunConfig, reachOf, readRunConfig, runKeyOf, writeRunConfig } from "../../../lib/run/config.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const config: RunConfig = {
  schema: "xfer.runconfig.v1",
  xfer_version: "0.1.0",
  created_at: "2026-11-25T08:00:00.000Z",
  run_id: "20261122T081500Z_a1b2c3",
  source_root: 'src:b/"q"\\ \u{1f600}',
  dest_root: "/data/ü \u2028",
  num_shards: 3,
  runtime: "pyxis",
  rclone_image: "/shared/rclone.sqsh",
  rclone_config: "/home/u/rclone.conf",
  rclone_conf_in_container: "/etc/rclone.conf",
  rclone_flags: ["--transfers", "8", "--header", "a: 'b'"],
  metadata: "off",
  create_bucket: true,
  pyxis_extra: ["--container-writable"],
  cpus_per_task: 4,
  max_attempts: 5,
  max_restarts: 0,
  array_concurrency: 64,
  job_name: "xfer",
  stop_lead_seconds: 0,
  run_key: "0123456789abcdef",
};

test("what was written is read back, and is readable JSON that ends in a newline", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "config.resolved.json");
  writeRunConfig(path, config);
  expect(readRunConfig(path)).toEqual(config);
  const text = readFileSync(path, "utf8");
  expect(text).toStartWith('{\n  "schema": "xfer.runconfig.v1",\n');
  expect(text).toEndWith("\n}\n");
  // The batch script looks for the key as text.
  expect(text).toContain('"run_key": "0123456789abcdef"');
});

test("a configuration of an earlier build gets the defaults of the fields that it lacks", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "config.resolved.json");
  const { metadata, create_bucket, max_restarts, run_key, ...earlier } = config;
  writeFileSync(path, JSON.stringify(earlier));
  expect(readRunConfig(path)).toEqual({
    ...earlier,
    metadata: "auto",
    create_bucket: false,
    max_restarts: 50,
  });
});

const json = (more: object) => JSON.stringify({ ...config, ...more });

test.each<[string, string, string]>([
  ["empty", "", "is empty: render the run again"],
  ["torn", json({}).slice(0, -5), "is torn or is not JSON: render the run again"],
  ["of another schema", json({ schema: "xfer.runconfig.v2" }), "not of schema xfer.runconfig.v1: schema "],
  ["an array", "[]", "not of schema xfer.runconfig.v1: "],
  [
    "with a field of a later build",
    json({ bandwidth: 1 }),
    "the field bandwidth, which this xfer does not know",
  ],
  ["without roots", json({ source_root: undefined }), "source_root "],
  ["without shards", json({ num_shards: 0 }), "num_shards "],
  ["with half a shard", json({ num_shards: 1.5 }), "num_shards "],
  ["with more shards than can be counted", json({ num_shards: 2 ** 53 }), "num_shards "],
  ["with a number as text", json({ cpus_per_task: "4" }), "cpus_per_task "],
  ["without attempts", json({ max_attempts: 0 }), "max_attempts "],
  ["with a negative lead", json({ stop_lead_seconds: -1 }), "stop_lead_seconds "],
  ["of an unknown runtime", json({ runtime: "docker" }), "runtime "],
  ["with flags that are one text", json({ rclone_flags: "--fast-list" }), "rclone_flags "],
])("a configuration that is %s is refused", (_, content, problem) => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "config.resolved.json");
  writeFileSync(path, content);
  const read = () => readRunConfig(path);
  expect(read).toThrow(expect.objectContaining({ exitCode: 2 }));
  expect(read).toThrow(`${path}: `);
  expect(read).toThrow(problem);
});

test("a directory that was not rendered is told from one that is broken", () => {
  using dir = temporaryDirectory();
  const read = () => readRunConfig(join(dir.path, "config.resolved.json"));
  expect(read).toThrow("no such file: not a rendered run directory");
  expect(read).toThrow(expect.objectContaining({ exitCode: 2 }));
});

test("nothing is written that no reader takes", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "config.resolved.json");
  expect(() => writeRunConfig(path, { ...config, num_shards: 0 })).toThrow();
  expect(() => readFileSync(path)).toThrow("ENOENT");
});

// printf '["20261122T081500Z_a1b2c3","src:a","dst:b"]' | sha256sum | cut -c1-16
test.each([
  ["20261122T081500Z_a1b2c3", "src:a", "dst:b", "1f8419386ef6daa0"],
  ['r"1', "/data/ü😀", "dst:", "d20860aa49323ace"],
])("the key of run %s from %s to %s", (run_id, source_root, dest_root, key) => {
  expect(runKeyOf({ run_id, source_root, dest_root })).toBe(key);
});

test("no two runs have one key because of where their words are divided", () => {
  const keys = [
    { run_id: "r", source_root: "a", dest_root: "b" },
    { run_id: "ra", source_root: "", dest_root: "b" },
    { run_id: "r", source_root: "ab", dest_root: "" },
    { run_id: "r", source_root: "b", dest_root: "a" },
    { run_id: "r", source_root: 'a","b', dest_root: "" },
  ].map(runKeyOf);
  expect(new Set(keys).size).toBe(keys.length);
});

test("how rclone is reached: null is nothing", () => {
  expect(reachOf(config)).toEqual({
    runtime: "pyxis",
    image: "/shared/rclone.sqsh",
    configPath: "/home/u/rclone.conf",
    confInContainer: "/etc/rclone.conf",
    pyxisExtra: ["--container-writable"],
  });
  const bare = reachOf({ ...config, runtime: "host", rclone_image: null, rclone_config: null });
  expect(bare).toMatchObject({ runtime: "host", image: undefined, configPath: undefined });
});
