import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rclones } from "../setup/rclones.ts";
import { Stage, state, timeoutMs, xfer } from "../stage/harness.ts";

/** An rclone.conf of remotes that look for their bucket, as rclone's default is, and of an alias and a crypt on them. */
function checkingConf(stage: Stage): string {
  const conf = join(stage.dir, "checking.conf");
  const remotes = stage.source.rcloneSection("src") + stage.dest.rcloneSection("dst");
  const obscured = Bun.spawnSync(["rclone", "obscure", "secret"]).stdout.toString().trim();
  const wrapped =
    "[al]\ntype = alias\nremote = dst:aliased/deep\n" +
    `[cr]\ntype = crypt\nremote = dst:crypted/box\npassword = ${obscured}\n`;
  writeFileSync(conf, remotes.replaceAll("no_check_bucket = true\n", "") + wrapped, { mode: 0o600 });
  return conf;
}

test(
  "no bucket is looked for or made in a whole life of a run; one that is missing is told, and made only when asked",
  async () => {
    for (const { name, dir } of await rclones()) {
      await using stage = await Stage.start();
      const keys = stage.fill(40, 2_000);
      const env = { PATH: `${dir}:${process.env.PATH ?? ""}` };
      const conf = checkingConf(stage);
      const run = (dest: string, runDir: string, ...more: string[]) =>
        xfer(
          stage.runArgs(
            ...["--rclone-config", conf, "--dest", dest, "--run-dir", join(stage.dir, runDir)],
            ...["--num-shards", "4", ...more],
          ),
          { cwd: stage.dir, env },
        );
      expect({ name, ...(await run("dst:copy", "there")) }).toMatchObject({ name, code: 0 });
      expect({ name, BUCKET: stage.dest.counts.BUCKET }).toEqual({ name, BUCKET: 0 });
      await stage.expectEqual(keys);

      for (const [dest, bucket] of [
        ["dst:missing/set", "missing"],
        ["al:set", "aliased"],
        ["cr:set", "crypted"],
      ] as const) {
        stage.source.resetCounts();
        stage.dest.resetCounts();
        const told = await run(dest, `${bucket}-told`);
        const line = `bucket ${bucket} does not exist at the destination: create it, or use --create-bucket`;
        expect({ name, ...told }).toMatchObject({ name, code: 2, stdout: "" });
        expect(told.stderr.split("\n").filter((text) => text.includes(bucket))).toHaveLength(1);
        expect(told.stderr).toContain(line);
        expect(stage.source.counts.total).toBe(0);
        expect(stage.dest.counts).toMatchObject({ BUCKET: 0, PUT: 0, LIST: 1 });
        expect(existsSync(join(stage.dir, `${bucket}-told`, "manifest.jsonl"))).toBe(false);

        const made = await run(dest, `${bucket}-made`, "--create-bucket");
        expect({ name, ...made }).toMatchObject({ name, code: 0 });
        expect(stage.dest.counts).toMatchObject({ BUCKET: 1, PUT: keys.length });
        expect(stage.dest.keys(bucket)).toHaveLength(keys.length);
      }
      expect(stage.dest.keys("missing").sort()).toEqual(keys.map((key) => `set/${key}`).sort());
    }
  },
  timeoutMs,
);

test(
  "agents find a bucket that is gone, whatever the flags compare: class config, final, and made when asked",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(40, 2_000);
    const conf = checkingConf(stage);
    for (const [what, flags] of [
      ["looks", "--retries 3"],
      ["compares", "--retries 3 --update"],
    ] as const) {
      const bucket = `gone-${what}`;
      const runDir = join(stage.dir, what);
      const args = stage.runArgs(
        ...["--rclone-config", conf, "--dest", `dst:${bucket}`, "--run-dir", runDir, "--num-shards", "2"],
        ...["--rclone-flags", flags],
      );
      // The manifest is made elsewhere, so that only the agents look.
      const roots = ["--source", "src:data", "--dest", `dst:${bucket}`, "--rclone-config", conf];
      const built = await stage.xfer(
        ...["manifest", "build", ...roots, "--runtime", "host", "--out", join(runDir, "manifest.jsonl")],
      );
      expect(built).toMatchObject({ code: 0 });
      stage.dest.resetCounts();
      const gone = await stage.xfer(...args);
      expect(gone).toMatchObject({ code: 1 });
      for (const shard of [0, 1]) {
        expect(state(runDir, shard, "fail")).toMatchObject({
          class: "config",
          final: true,
          message: expect.stringContaining(`bucket ${bucket} does not exist at the destination: create it`),
        });
      }
      expect(stage.dest.counts).toMatchObject({ BUCKET: 0, PUT: 0 });
      const made = await stage.xfer(...args, "--create-bucket");
      expect(made).toMatchObject({ code: 0 });
      expect(stage.dest.counts).toMatchObject({ BUCKET: 1, PUT: keys.length });
      expect(stage.dest.keys(bucket).sort()).toEqual([...keys].sort());
    }
  },
  timeoutMs,
);

test(
  "run --delta refuses a bucket that is missing; --create-bucket needs a bucket; a source without one is told",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(10, 2_000);
    const conf = checkingConf(stage);
    // As where no rclone runs on this host: the delta is the first that sees the destination.
    const listed = join(stage.dir, "d", "manifest.jsonl");
    const roots = ["--source", "src:data", "--dest", "dst:missing", "--rclone-config", conf];
    const built = await stage.xfer("manifest", "build", ...roots, "--runtime", "host", "--out", listed);
    expect(built).toMatchObject({ code: 0 });
    for (const listers of ["1", "2"]) {
      const planned = stage.runArgs("--delta", "--dest", "dst:missing", "--rclone-config", conf);
      const refused = await stage.xfer(...planned, "--run-dir", "d", "--list-parallel", listers);
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toContain("bucket missing does not exist at the destination");
    }

    const run = stage.runArgs("--delta", "--dest", "dst:planned", "--rclone-config", conf, "--create-bucket");
    expect(await stage.xfer(...run, "--num-shards", "1")).toMatchObject({ code: 0 });
    expect(stage.dest.keys("planned").sort()).toEqual([...keys].sort());

    const nameless = stage.runArgs("--dest", "dst:", "--create-bucket", "--run-dir", join(stage.dir, "n"));
    const refused = await stage.xfer(...nameless);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("names no bucket: write dst:BUCKET");

    const noSource = stage.runArgs("--source", "src:nowhere", "--run-dir", join(stage.dir, "s"));
    const unlisted = await stage.xfer(...noSource);
    expect(unlisted.code).toBe(1);
    expect(unlisted.stderr).toContain("bucket nowhere does not exist");
  },
  timeoutMs,
);
