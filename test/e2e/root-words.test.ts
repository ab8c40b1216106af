import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { differentKeys, Stage, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

/** Every file below a directory, as text. */
function textsBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true })
    .map((name) => join(dir, String(name)))
    .filter((path) => statSync(path).isFile() && !path.endsWith("/bin/xfer"))
    .map((path) => readFileSync(path, "latin1"));
}

for (const { how, env, dest } of [
  {
    how: "a variable of the remote",
    env: (url: string) => ({ RCLONE_CONFIG_DST_ENDPOINT: url }),
    dest: () => "dst:copy",
  },
  {
    how: "the connection string",
    env: () => ({}),
    dest: (url: string) => `dst,endpoint="${url}":copy`,
  },
  {
    how: "a variable of the remote that is not in rclone.conf at all",
    env: (url: string) => ({
      RCLONE_CONFIG_ELSE_TYPE: "alias",
      RCLONE_CONFIG_ELSE_REMOTE: `dst,endpoint="${url}":copy`,
    }),
    dest: () => "else:",
  },
]) {
  test(
    `rclone.conf says one endpoint for both, ${how} another: objects come from the one and arrive at the other`,
    async () => {
      await using stage = await Stage.start();
      const keys = stage.fill(30);
      stage.source.createBucket("copy");
      // What a copy on the server at the wrong endpoint would take.
      stage.dest.createBucket("data");
      for (const key of keys) stage.dest.put("data", key, "not this", { mtime: new Date(1.7e12) });
      stage.dest.resetCounts();
      writeFileSync(
        stage.conf,
        `${stage.source.rcloneSection("src")}\n${stage.source.rcloneSection("dst")}\n`,
      );
      const args = stage.runArgs("--dest", dest(stage.dest.url), "--num-shards", "2");
      const run = await xfer(args, { cwd: stage.dir, env: env(stage.dest.url) });
      expect(run.stderr).not.toContain("error");
      expect(run.code).toBe(0);
      expect(await differentKeys(stage.source, stage.dest, keys)).toEqual([]);
      expect(stage.source.keys("copy")).toEqual([]);
      expect(stage.source.counts.GET).toBe(keys.length);
    },
    timeoutMs,
  );
}

test(
  "two remotes that a variable brings to one endpoint: the server copies",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(10);
    stage.source.createBucket("copy");
    const env = { RCLONE_CONFIG_DST_ENDPOINT: stage.source.url };
    const run = await xfer(stage.runArgs("--num-shards", "1"), { cwd: stage.dir, env });
    expect(run.code).toBe(0);
    expect(await differentKeys(stage.source, stage.source, keys)).toEqual([]);
    expect(stage.source.counts.GET).toBe(0);
  },
  timeoutMs,
);

for (const root of [
  "größe:sub",
  "日本:b",
  "src,global.dry_run=true:b",
  "src,override.ignore_existing=true:b",
  "no such remote:b",
  "a*b:c",
  ":/x",
  ":local:x",
  "src,secret_access_key=hunter2:b",
]) {
  test(
    `a root that is no remote is refused, as source and as destination: ${root}`,
    async () => {
      await using stage = await Stage.start();
      stage.fill(2);
      const before = readdirSync(stage.dir, { recursive: true });
      for (const flag of ["--source", "--dest"]) {
        const run = await stage.xfer(...stage.runArgs(flag, root));
        expect(run.code).toBe(2);
        expect(run.stderr).toMatch(new RegExp(`^xfer: ${flag}: [^\\n]+\\n$`));
        expect(run.stderr).not.toContain("hunter2");
        expect(readdirSync(stage.dir, { recursive: true })).toEqual(before);
      }
      if (!/^[größe日本]+:/.test(root)) return;
      expect((await stage.xfer(...stage.runArgs("--dest", root))).stderr).toContain(`is written ./${root}\n`);
      const written = await stage.xfer(...stage.runArgs("--dest", `./${root}`, "--num-shards", "1"));
      expect(written.code).toBe(0);
      expect(readdirSync(join(stage.dir, root), { recursive: true }).length).toBeGreaterThanOrEqual(2);
    },
    timeoutMs,
  );
}

test(
  "what is a secret in the environment is in no file of the run, and in no output",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(10);
    const secret = stage.dest.secretAccessKey;
    const token = "hunter2hunter2";
    const conf = readFileSync(stage.conf, "utf8").replaceAll(/^secret_access_key = .*\n/gm, "");
    expect(conf).not.toContain(secret);
    writeFileSync(stage.conf, conf);
    const env = {
      RCLONE_CONFIG_SRC_SECRET_ACCESS_KEY: stage.source.secretAccessKey,
      RCLONE_CONFIG_DST_SECRET_ACCESS_KEY: secret,
      RCLONE_HEADER: `X-Token: ${token}`,
      RCLONE_DUMP: "headers,auth",
      SLURM_JWT: token,
    };
    // Compared, so that rclone runs at -vv and tells where each option came from.
    const run = await xfer(stage.runArgs("--num-shards", "2", "--rclone-flags", "--checksum", "-vv"), {
      cwd: stage.dir,
      env,
    });
    expect(run.code).toBe(0);
    await stage.expectEqual(keys);
    // And a listing that fails, of which an error log is kept.
    const lost = ["--source", "src:gone", "--dest", "dst:copy", "--rclone-config", stage.conf, "--out", "m"];
    const failed = await xfer(["manifest", "build", "--runtime", "host", "-vv", ...lost], {
      cwd: stage.dir,
      env,
    });
    expect(failed.code).toBe(1);
    const texts = [...textsBelow(stage.dir), run.stdout, run.stderr, failed.stdout, failed.stderr];
    expect(texts.length).toBeGreaterThan(10);
    const telling = texts.filter((text) => text.includes(secret) || text.includes(token));
    expect(
      telling.map((text) => text.split("\n").filter((line) => line.includes(secret) || line.includes(token))),
    ).toEqual([]);
  },
  timeoutMs,
);

test(
  "a destination behind remotes that wrap paths is on stable storage before the shard is done",
  async () => {
    await using stage = await Stage.start();
    const keys = ["a", "b/c", "b/d"];
    for (const key of keys) stage.source.put("data", key, `content of ${key}`, { mtime: new Date(1.7e12) });
    using ends = temporaryDirectory("ends ");
    const at = (name: string) => join(ends.path, name);
    for (const name of ["up1", "up2"]) mkdirSync(at(name));
    const sections = [
      `[al]\ntype = alias\nremote = ${at("alias")}`,
      "[chunks]\ntype = chunker\nremote = al:chunks\nhash_type = none",
      `[many]\ntype = union\nupstreams = "${at("up1")}" "${at("up2")}"`,
    ];
    writeFileSync(stage.conf, `${readFileSync(stage.conf, "utf8")}\n${sections.join("\n")}\n`);
    const bin = join(stage.dir, "bin");
    mkdirSync(bin);
    const asked = join(stage.dir, "asked");
    writeFileSync(join(bin, "sync"), `#!/bin/sh\necho "$*" >> "${asked}"\nexec /bin/sync "$@"\n`);
    chmodSync(join(bin, "sync"), 0o755);
    const env = { PATH: `${bin}:${process.env.PATH ?? ""}` };
    const rows: [string, string[]][] = [
      ["al:x", [at("alias/x")]],
      ["chunks:", [at("alias/chunks")]],
      ["many:", [at("up1"), at("up2")]],
    ];
    for (const [index, [dest, paths]] of rows.entries()) {
      const dir = join(stage.dir, `run${index}`);
      const run = await xfer(stage.runArgs("--dest", dest, "--run-dir", dir, "--num-shards", "1"), {
        cwd: stage.dir,
        env,
      });
      expect(run.stderr).not.toContain("error");
      expect(run.code).toBe(0);
      const lines = readFileSync(asked, "utf8").split("\n");
      for (const path of paths) expect(lines).toContain(`-f ${path}`);
      expect(readFileSync(join(dir, "state", "shard_0.journal"), "utf8")).toMatch(/\ns\d+\n$/);
      for (const key of keys) {
        const found = paths.map((path) => join(path, key)).filter((path) => existsSync(path));
        expect(found.map((path) => readFileSync(path, "utf8"))).toEqual([`content of ${key}`]);
      }
    }
  },
  timeoutMs,
);
