import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { buildImageDir } from "../cluster/image.ts";
import { ensureClusterPackages } from "../cluster/packages.ts";
import { sampleObjects } from "../data/fill.ts";
import { Stage, state, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

const temp = temporaryDirectory("xfer-image-");
const image = join(temp.path, "image");
const bin = join(temp.path, "bin");
/** The stand-in alone is ahead on PATH, with an rclone that must not be taken: the image's own is the one to run. */
const env = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };

beforeAll(async () => {
  await ensureClusterPackages();
  buildImageDir(image, "/usr/bin:/bin:/usr/sbin:/sbin");
  mkdirSync(bin);
  copyFileSync(join(import.meta.dir, "..", "cluster", "apptainer-standin.sh"), join(bin, "apptainer"));
  writeFileSync(join(bin, "rclone"), "#!/bin/sh\necho the rclone of the host >&2\nexit 97\n");
  for (const name of ["apptainer", "rclone"]) chmodSync(join(bin, name), 0o755);
}, timeoutMs);

afterAll(() => temp[Symbol.dispose]());

const inImage = ["--runtime", "apptainer", "--rclone-image", image];

test(
  "S3 to S3 in an apptainer container: every object arrives, two requests each",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(200);
    const args = stage.runArgs(...inImage, "--num-shards", "3");
    const result = await xfer(args, { cwd: stage.dir, env });
    expect(result.stderr).not.toContain("error");
    expect(result.code).toBe(0);
    await stage.expectEqual(keys);
    expect(stage.source.counts.GET).toBe(200);
    expect(stage.dest.counts.PUT).toBe(200);
    const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
    expect(log).toContain("apptainer exec --bind ");
  },
  timeoutMs,
);

test(
  "POSIX to S3 and back in an apptainer container: names, bytes and times survive, the source is mounted read-only",
  async () => {
    await using stage = await Stage.start();
    // Outside of what apptainer shows by itself.
    using trees = temporaryDirectory("xfer tree 'q' ", "/srv");
    const source = join(trees.path, "in");
    const files = [...sampleObjects(120, 200_000)];
    for (const { key, body, mtime } of files) {
      const path = join(source, key);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, body);
      utimesSync(path, mtime, mtime);
    }
    const run = (from: string, to: string, dir: string) =>
      xfer(
        [
          ...["run", "--executor", "local", "--source", from, "--dest", to, "--rclone-config", stage.conf],
          ...["--run-dir", join(stage.dir, dir), "--num-shards", "3", ...inImage],
        ],
        { cwd: stage.dir, env },
      );
    const up = await run(source, "dst:copy/a b", "up");
    expect(up.stderr).not.toContain("error");
    expect(up.code).toBe(0);
    expect(stage.dest.keys("copy")).toHaveLength(120);
    expect(readFileSync(join(stage.dir, "up", "logs", "shard_0_attempt_1.log"), "utf8")).toContain(
      "/in:ro' ",
    );
    const out = join(trees.path, "out $(touch pwned) 'q'");
    const down = await run("dst:copy/a b", out, "down");
    expect(down.stderr).not.toContain("error");
    expect(down.code).toBe(0);
    for (const { key, body, mtime } of files) {
      expect(readFileSync(join(out, key)).equals(body), key).toBe(true);
      expect(Math.abs(statSync(join(out, key)).mtimeMs - mtime.getTime()), key).toBeLessThanOrEqual(1);
    }
    expect(existsSync(join(stage.dir, "pwned"))).toBe(false);
  },
  timeoutMs,
);

test(
  "remotes that wrap paths are mounted in an apptainer container: what is written there is on the host",
  async () => {
    await using stage = await Stage.start();
    using trees = temporaryDirectory("xfer ends ", "/srv");
    const at = (name: string) => join(trees.path, name);
    for (const name of ["up", "up 2"]) mkdirSync(at(name));
    const sections = [
      `[al]\ntype = alias\nremote = ${at("base")}`,
      "[chunks]\ntype = chunker\nremote = al:chunks\nhash_type = none",
      `[many]\ntype = union\nupstreams = "${at("up")}" "${at("up 2")}:nc"`,
    ];
    writeFileSync(stage.conf, `${readFileSync(stage.conf, "utf8")}\n${sections.join("\n")}\n`);
    const keys = ["a", "b/c"];
    for (const key of keys) stage.source.put("data", key, `content of ${key}`, { mtime: new Date(1.7e12) });
    for (const [dest, path] of [
      ["al:x", at("base/x")],
      ["chunks:", at("base/chunks")],
      ["many:", at("up")],
    ] as const) {
      const dir = join(stage.dir, `run to ${dest.split(":")[0]}`);
      const args = stage.runArgs(
        ...inImage,
        "--dest",
        dest,
        "--run-dir",
        dir,
        "--num-shards",
        "1",
        "--verify",
      );
      const result = await xfer(args, { cwd: stage.dir, env });
      expect(result.stderr).not.toContain("error");
      expect(result.code).toBe(0);
      for (const key of keys) expect(readFileSync(join(path, key), "utf8")).toBe(`content of ${key}`);
    }
    // And as a source.
    const back = stage.runArgs(...inImage, "--source", "chunks:", "--num-shards", "1");
    expect((await xfer(back, { cwd: stage.dir, env })).code).toBe(0);
    expect(stage.dest.keys("copy")).toEqual(keys);
  },
  timeoutMs,
);

test(
  "remotes by the user's variables win over the image's own of the same name, also where a value has a dollar sign",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(20);
    const variables: Record<string, string> = { RCLONE_CONFIG_SRC_DESCRIPTION: "$(touch pwned) `id`" };
    for (const [name, endpoint] of [
      ["SRC", stage.source],
      ["DST", stage.dest],
    ] as const) {
      for (const line of endpoint.rcloneSection(name).split("\n").slice(1)) {
        const [key = "", value = ""] = line.split(" = ");
        if (key) variables[`RCLONE_CONFIG_${name}_${key.toUpperCase()}`] = value;
      }
    }
    const environment = join(image, "etc", "environment");
    const before = readFileSync(environment, "utf8");
    writeFileSync(environment, `${before}RCLONE_CONFIG_SRC_ENDPOINT=http://127.0.0.1:1\n`);
    try {
      const args = ["--source", "src:data", "--dest", "dst:copy", "--run-dir", "r", "--num-shards", "2"];
      const result = await xfer(["run", "--executor", "local", ...args, ...inImage], {
        cwd: stage.dir,
        env: { ...env, ...variables },
      });
      expect(result.stderr).not.toContain("error");
      expect(result.code).toBe(0);
      await stage.expectEqual(keys);
      expect(existsSync(join(stage.dir, "pwned"))).toBe(false);
    } finally {
      writeFileSync(environment, before);
    }
  },
  timeoutMs,
);

test(
  "an image that is gone is the container's failure, not that of missing objects",
  async () => {
    await using stage = await Stage.start();
    stage.fill(20);
    const gone = join(stage.dir, "gone.sif");
    const listed = await stage.xfer(
      ...["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", "dst:copy"],
      ...["--rclone-config", stage.conf, "--out", join(stage.runDir, "manifest.jsonl")],
    );
    expect(listed.code).toBe(0);
    const args = stage.runArgs("--runtime", "apptainer", "--rclone-image", gone, "--num-shards", "1");
    const flags = ["--no-image-check", "--max-attempts", "1", "--rclone-flags", "--retries 1"];
    const result = await xfer([...args, ...flags], { cwd: stage.dir, env });
    expect(result.code).toBe(1);
    expect(state(stage.runDir, 0, "fail")).toMatchObject({ class: "container", proven: 0 });
    expect(state(stage.runDir, 0, "fail")?.errors[0]?.message).toContain(`could not open image ${gone}`);
  },
  timeoutMs,
);
