import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { S3Endpoint } from "../s3/endpoint.ts";
import { rclones } from "../setup/rclones.ts";
import { binary, kill, Stage, temporaryDirectory, timeoutMs, until } from "../stage/harness.ts";

/** The binary under way, with what it has said on stderr so far. */
function start(args: string[], cwd: string, rcloneDir?: string) {
  const path = `${rcloneDir === undefined ? "" : `${rcloneDir}:`}${process.env.PATH ?? ""}`;
  const env = { PATH: path, HOME: cwd, LANG: "C.UTF-8" };
  const child = Bun.spawn([binary, ...args], { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const seen = { stderr: "" };
  const reading = (async () => {
    for await (const chunk of child.stderr) seen.stderr += new TextDecoder().decode(chunk);
  })();
  const end = async () => {
    const stdout = await child.stdout.text();
    await reading;
    return { code: await child.exited, stdout };
  };
  return { seen, end, pid: child.pid, isRunning: () => child.exitCode === null };
}

const s3 = (name: string, endpoint: string) =>
  `[${name}]\ntype = s3\nprovider = Other\nendpoint = ${endpoint}\naccess_key_id = a\nsecret_access_key = b\n`;

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const endpoint = await S3Endpoint.start();
  const { port } = endpoint;
  await endpoint.stop();
  return port;
}

const rcloneNames = ["debian", "current"] as const;

test.each(rcloneNames)(
  "%s rclone, a source that refuses connections: said while rclone still tries, and nothing on stdout",
  async (name) => {
    const rclone = (await rclones()).find((one) => one.name === name);
    using dir = temporaryDirectory();
    const conf = join(dir.path, "rclone.conf");
    writeFileSync(conf, s3("src", `http://127.0.0.1:${await closedPort()}`), { mode: 0o600 });
    const roots = ["--source", "src:data", "--dest", "/nowhere/copy", "--rclone-config", conf];
    const build = ["manifest", "build", "--runtime", "host", ...roots, "--json", "--out", "m.jsonl"];
    const run = start(build, dir.path, rclone?.dir);
    await until("the reason", () => run.seen.stderr.includes("the source refuses connections"), timeoutMs);
    expect(run.isRunning()).toBe(true);
    expect(run.seen.stderr).toContain("src:data");
    kill(run.pid, "SIGTERM");
    expect(await run.end()).toEqual({ code: 75, stdout: "" });
    expect(run.seen.stderr).not.toContain("answers again");
  },
  timeoutMs,
);

test(
  "a source that comes back while rclone tries: the listing goes on, and says so once",
  async () => {
    using dir = temporaryDirectory();
    const store = join(dir.path, "store");
    mkdirSync(store);
    const port = await closedPort();
    const conf = join(dir.path, "rclone.conf");
    writeFileSync(conf, s3("src", `http://127.0.0.1:${port}`), { mode: 0o600 });
    const words = [
      "manifest",
      "build",
      "--runtime",
      "host",
      "--source",
      "src:data",
      "--dest",
      "/nowhere/copy",
    ];
    const run = start([...words, "--rclone-config", conf, "--json", "--out", "m.jsonl"], dir.path);
    await until("the reason", () => run.seen.stderr.includes("the source refuses connections"), timeoutMs);
    const keys = { accessKeyId: "a", secretAccessKey: "b" };
    await using source = await S3Endpoint.start({ directory: store, port, buckets: ["data"], ...keys });
    source.put("data", "one", new Uint8Array(7));
    const { code, stdout } = await run.end();
    expect([code, JSON.parse(stdout).objects]).toEqual([0, 1]);
    expect(run.seen.stderr.match(/the source refuses connections/g)).toHaveLength(1);
    expect(run.seen.stderr.match(/the source answers again/g)).toHaveLength(1);
  },
  timeoutMs,
);

test(
  "the destination goes in mid-copy and comes back: live line and .progress say it, and then it is over",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(40, 20_000);
    const store = join(stage.dir, "store");
    mkdirSync(store);
    const options = { directory: store, buckets: ["copy"] };
    const first = await S3Endpoint.start(options);
    const { port } = first;
    const conf = `${stage.source.rcloneSection("src")}\n${first.rcloneSection("dst")}\n`;
    writeFileSync(stage.conf, conf, { mode: 0o600 });
    first.inject({ kinds: ["PUT"], action: { delayMs: 400 } });
    const flags = [
      "--num-shards",
      "1",
      "--rclone-flags",
      "--transfers 2 --retries 10 --low-level-retries 20",
    ];
    const run = start(stage.runArgs(...flags), stage.dir);
    const progress = () => {
      const path = join(stage.runDir, "state", "shard_0.progress");
      return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
    };
    await until("a copied object", () => progress()?.objects_done > 0, timeoutMs);
    expect(progress().hindrance).toBeNull();
    await first.stop();
    const hindrance = await until("the reason in .progress", () => progress().hindrance, timeoutMs);
    expect(hindrance.message).toBe("the destination refuses connections");
    await until("the reason on the live line", () =>
      /destination refuses connections, since \d+s/.test(run.seen.stderr),
    );
    expect(run.isRunning()).toBe(true);
    await using second = await S3Endpoint.start({ ...options, port });
    expect((await run.end()).code).toBe(0);
    expect(progress().hindrance).toBeNull();
    expect(second.keys("copy").sort()).toEqual(keys.sort());
  },
  timeoutMs,
);

test(
  "a source that goes before its objects are read: the live line names it, though rclone's log is silent",
  async () => {
    await using stage = await Stage.start();
    stage.fill(6, 20_000);
    const prepared = await stage.xfer(
      ...stage.runArgs("--num-shards", "1", "--executor", "slurm", "--runtime", "host"),
    );
    expect(prepared).toMatchObject({ code: 0 });
    await stage.source.stop();
    const run = start(stage.runArgs("--num-shards", "1"), stage.dir);
    await until("the reason", () => run.seen.stderr.includes("the source refuses connections"), timeoutMs);
    expect(run.isRunning()).toBe(true);
    kill(run.pid, "SIGTERM");
    expect((await run.end()).code).toBe(75);
  },
  timeoutMs,
);

test(
  "a destination whose host name is not known is said to have none",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "in"));
    writeFileSync(join(dir.path, "in", "one"), "1");
    const conf = join(dir.path, "rclone.conf");
    writeFileSync(conf, s3("dst", "http://no-such-host.invalid:9"), { mode: 0o600 });
    const words = ["run", "--executor", "local", "--num-shards", "1", "--rclone-config", conf];
    const run = start([...words, "--source", join(dir.path, "in"), "--dest", "dst:copy"], dir.path);
    await until(
      "the reason",
      () => run.seen.stderr.includes("the destination has a host name that is not found"),
      timeoutMs,
    );
    kill(run.pid, "SIGTERM");
    expect((await run.end()).code).toBe(75);
  },
  timeoutMs,
);
