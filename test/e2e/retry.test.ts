import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readEvents } from "../../lib/run/events.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { Stage, startXfer, state, timeoutMs, until } from "../stage/harness.ts";

/** The shards of a run whose records a key test accepts. */
function shardsWith(runDir: string, wanted: (key: string) => boolean): number[] {
  return readdirSync(join(runDir, "shards"))
    .filter((name) => name.endsWith(".jsonl"))
    .sort()
    .flatMap((name, shard) => {
      const lines = readFileSync(join(runDir, "shards", name), "utf8")
        .trimEnd()
        .split("\n");
      return lines.some((line) => wanted((JSON.parse(line) as { path: string }).path)) ? [shard] : [];
    });
}

const journalsOf = (runDir: string, shards: readonly number[]) =>
  shards.map((shard) => readFileSync(join(runDir, "state", `shard_${shard}.journal`), "utf8"));

test(
  "a run with a refusing endpoint and a vanished object: retried by class, on this machine, to the last byte",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(60);
    const retry = (...words: string[]) => stage.xfer("retry", "--run-dir", stage.runDir, ...words);
    const run = stage.runArgs("--num-shards", "6", "--rclone-flags", "--transfers 4 --retries 1");
    // The listing knows the object, and it is gone when it is copied.
    const [gone = "", refused = ""] = [keys.at(-2), keys.at(-9)];
    const mendRefusal = stage.dest.inject({
      kinds: ["PUT"],
      match: ({ key }) => key === refused,
      action: "forbidden",
    });
    const comesBack = stage.source.inject({
      kinds: ["GET"],
      match: ({ key }) => key === gone,
      action: "not-found",
    });
    const first = await stage.xfer(...run);
    expect(first.code, first.stderr).toBe(1);
    const [ofGone, ofRefused] = [
      shardsWith(stage.runDir, (key) => key === gone)[0] ?? -1,
      shardsWith(stage.runDir, (key) => key === refused)[0] ?? -1,
    ];
    expect(ofGone).not.toBe(ofRefused);
    const done = [0, 1, 2, 3, 4, 5].filter((shard) => shard !== ofGone && shard !== ofRefused);
    const times = () =>
      done.map((shard) => statSync(join(stage.runDir, "state", `shard_${shard}.done`)).mtimeMs);
    const before = times();
    const journals = journalsOf(stage.runDir, done);

    // Wrong words change nothing.
    for (const [words, told] of [
      [["--shards", "6"], "--shards: there is no shard 6: the run has 0 to 5"],
      [["--class", "none"], "--class: must be of auth, config, "],
      [["--rclone-flags", "--files-from x"], "--rclone-flags: --files-from cannot be used here"],
    ] as const) {
      const wrong = await retry(...words);
      expect([wrong.code, wrong.stdout], wrong.stderr).toEqual([2, ""]);
      expect(wrong.stderr).toContain(told);
    }
    expect(await retry("--class", "throttled")).toMatchObject({ code: 0, stdout: "nothing to retry\n" });
    expect(await retry("--shards", String(done[0]))).toMatchObject({ code: 0, stdout: "nothing to retry\n" });
    expect(state(stage.runDir, ofRefused, "fail")).toMatchObject({ class: "auth", attempt: 1 });

    // The refused one alone, while the store still refuses it, and then with the key mended.
    const again = await retry("--class", "auth", "--max-attempts", "2", "--json");
    expect(again.code, again.stderr).toBe(1);
    expect(JSON.parse(again.stdout)).toMatchObject({
      ...{
        schema: "xfer.retry.v1",
        executor: "local",
        shards: String(ofRefused),
        max_attempts: 2,
        job_id: null,
      },
      account: { shards: { done: 4, failed: 2, unfinished: 0 } },
    });
    expect(state(stage.runDir, ofRefused, "fail")).toMatchObject({ class: "auth", attempt: 2 });
    expect(state(stage.runDir, ofGone, "fail")).toMatchObject({ class: "missing", attempt: 1 });
    mendRefusal();
    stage.dest.resetCounts();
    const mended = await retry("--class", "auth", "--rclone-flags", "--transfers 2 --retries 2");
    expect(mended.code, mended.stderr).toBe(0);
    expect(mended.stdout).toContain(`1 shard (${ofRefused}) tried again: done\n`);
    // What was proven is not copied again.
    expect(stage.dest.counts.PUT).toBe(1);
    expect(state(stage.runDir, ofRefused, "attempt")).toMatchObject({
      attempt: 3,
      spent: 0,
      past: { submissions: 2, attempts: 2 },
    });
    expect(
      readdirSync(join(stage.runDir, "state"))
        .filter((name) => /\.fail/.test(name))
        .sort(),
    ).toEqual([`shard_${ofGone}.fail`, `shard_${ofRefused}.fail.1`, `shard_${ofRefused}.fail.2`].sort());
    comesBack();
    const last = await retry();
    expect(last.code, last.stderr).toBe(0);
    expect(last.stdout).toContain(`compare the destination: xfer verify --run-dir `);
    await stage.expectEqual(keys);
    expect(times()).toEqual(before);
    expect(journalsOf(stage.runDir, done)).toEqual(journals);
    expect(await retry()).toMatchObject({ code: 0, stdout: "nothing to retry\n" });
    const config = JSON.parse(readFileSync(join(stage.runDir, "config.resolved.json"), "utf8"));
    expect(config).toMatchObject({ max_attempts: 2, rclone_flags: ["--transfers", "2", "--retries", "2"] });
    const events = readEvents(runLayout(stage.runDir)).filter(({ action }) => action === "retried");
    expect(events.map(({ detail }) => detail)).toEqual([
      `1 shard: ${ofRefused}; of class auth; --max-attempts 2; on this machine`,
      `1 shard: ${ofRefused}; of class auth; --rclone-flags '--transfers 2 --retries 2'; on this machine`,
      `1 shard: ${ofGone}; on this machine`,
    ]);
    const verified = await stage.xfer("verify", "--run-dir", stage.runDir);
    expect([verified.code, verified.stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "verified"]);
  },
  timeoutMs,
);

test(
  "a shard that an agent is at work on is left alone, or refused where it is named; a killed run goes on",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(12);
    const retry = (...words: string[]) => stage.xfer("retry", "--run-dir", stage.runDir, ...words);
    const mend = stage.dest.inject({ kinds: ["PUT"], action: "stall" });
    const run = startXfer(stage.runArgs("--num-shards", "2", "--array-concurrency", "1"), { cwd: stage.dir });
    await until("the first agent", () => existsSync(join(stage.runDir, "state", "shard_0.progress")));
    const refused = await retry("--shards", "0");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^xfer: shard 0 is running or in the queue: nothing was done: wait \(xfer wait /,
    );
    const changed = await retry("--shards", "1", "--max-attempts", "2");
    expect(changed.code).toBe(2);
    expect(changed.stderr).toContain(
      "--max-attempts and --rclone-flags change what all agents of a run are told",
    );
    process.kill(run.pid, "SIGTERM");
    expect((await run.result).code).toBe(75);
    mend();
    // A torn file of the state is survived.
    writeFileSync(join(stage.runDir, "state", "shard_1.fail"), '{"schema":"xfer.fail.v1","sh');
    const again = await retry();
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain("2 shards (0-1) tried again: done\n");
    await stage.expectEqual(keys);
  },
  timeoutMs,
);

test(
  "a run that was never started has nothing to retry, and a paused one is not touched",
  async () => {
    await using stage = await Stage.start();
    stage.fill(4);
    const build = ["manifest", "build", "--source", "src:data", "--dest", "dst:copy", "--runtime", "host"];
    const words = ["--rclone-config", stage.conf];
    for (const args of [
      [...build, ...words, "--out", "run/manifest.jsonl"],
      ["manifest", "shard", "--in", "run/manifest.jsonl", "--outdir", "run/shards", "--num-shards", "2"],
      ["slurm", "render", "--run-dir", "run", "--runtime", "host", ...words],
    ]) {
      const result = await stage.xfer(...args);
      expect(result.code, result.stderr).toBe(0);
    }
    const nothing = await stage.xfer("retry", "--run-dir", "run");
    expect(nothing).toMatchObject({ code: 0, stderr: "" });
    expect(nothing.stdout).toBe(
      "nothing to retry: run was never started: xfer slurm submit --run-dir run, or the xfer run that made it\n",
    );
    const control = {
      schema: "xfer.control.v1",
      wanted: "pause",
      at: "2026-01-01T00:00:00Z",
      by: "ann@login",
    };
    writeFileSync(join(stage.runDir, "state", "control"), JSON.stringify(control));
    const paused = await stage.xfer("retry", "--run-dir", "run");
    expect(paused).toMatchObject({ code: 2, stdout: "" });
    expect(paused.stderr).toBe(
      "xfer: run: the run is paused since 2026-01-01T00:00:00Z by ann@login: go on with xfer resume --run-dir run\n",
    );
    expect(existsSync(join(stage.runDir, "events.jsonl"))).toBe(false);
  },
  timeoutMs,
);
