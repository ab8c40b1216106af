import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { binary, Stage, startXfer, timeoutMs, until } from "../stage/harness.ts";

interface Line {
  schema: string;
  time: string | null;
  shard: number;
  attempt: number;
  level: string;
  object: string | null;
  message: string;
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

/** The keys of a run as its manifest has them. */
const keysOf = (runDir: string): string[] =>
  readFileSync(join(runDir, "manifest.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { path: string }).path);

test(
  "the errors of all shards by time, and the story of an object from its failure to its verification",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(60);
    const [gone = "", refused = "", fine = ""] = [keys.at(-2), keys.at(-9), keys.at(-20)];
    const faults = [
      stage.dest.inject({ kinds: ["PUT"], match: ({ key }) => key === refused, action: "forbidden" }),
      stage.source.inject({ kinds: ["GET"], match: ({ key }) => key === gone, action: "not-found" }),
    ];
    const run = stage.runArgs("--num-shards", "6", "--rclone-flags", "--transfers 4 --retries 1");
    expect((await stage.xfer(...run)).code).toBe(1);
    const logs = (...words: string[]) => stage.xfer("logs", "--run-dir", stage.runDir, ...words);

    const errors = await logs("--errors", "--json");
    expect(errors, errors.stderr).toMatchObject({ code: 0, stderr: "" });
    const found = linesOf(errors.stdout);
    expect(new Set(found.map(({ schema, level }) => `${schema} ${level}`))).toEqual(
      new Set(["xfer.log.v1 error"]),
    );
    const objects = found.flatMap(({ object }) => object ?? []);
    expect(new Set(objects)).toEqual(new Set([gone, refused]));
    const times = found.flatMap(({ time }) => time ?? []);
    expect(times).toEqual([...times].sort());
    expect(new Set(found.map(({ shard }) => shard)).size).toBe(2);
    const text = await logs("--errors");
    expect(text.stdout.trimEnd().split("\n")).toHaveLength(found.length);
    expect(text.stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z shard \d attempt 1: error: .*AccessDenied/m);
    // Each object that was copied is told once.
    const all = linesOf((await logs("--json")).stdout);
    const copied = all
      .filter(({ message }) => message.startsWith("Copied ("))
      .map(({ object }) => object ?? "");
    expect(copied.sort()).toEqual(
      keysOf(stage.runDir)
        .filter((key) => key !== gone && key !== refused)
        .sort(),
    );

    const failed = await logs("--object", refused);
    expect(failed.code, failed.stderr).toBe(0);
    expect(failed.stdout).toMatch(/^record {4}record \d+ of shard \d, /m);
    expect(failed.stdout).toMatch(/^proof {5}none: it is not proven; shard \d has failed$/m);
    expect(failed.stdout).toMatch(/^failed {4}attempt 1: auth: .*AccessDenied/m);
    expect(failed.stdout).toMatch(/^verified {2}no$/m);
    expect(failed.stdout).toMatch(/^ {2}\S+ attempt 1: error: .*AccessDenied/m);

    for (const mend of faults) mend();
    expect((await stage.xfer("retry", "--run-dir", stage.runDir)).code).toBe(0);
    expect((await stage.xfer("verify", "--run-dir", stage.runDir)).code).toBe(0);
    const story = JSON.parse((await logs("--object", gone, "--json")).stdout);
    expect(story).toMatchObject({
      ...{
        schema: "xfer.object.v1",
        key: gone,
        place: "shard",
        shard_state: "done",
        proof: "copied",
        fail: null,
      },
      verified: { verdict: "hash-proven" },
      record: { path: gone },
    });
    const attempts = new Set((story.lines as Line[]).map(({ attempt }) => attempt));
    expect(attempts).toEqual(new Set([1, 2]));
    expect((story.lines as Line[]).every(({ object }) => object === gone)).toBe(true);
    expect(JSON.parse((await logs("--object", gone, "--attempt", "2", "--json")).stdout).lines).toMatchObject(
      [...Array((story.lines as Line[]).filter(({ attempt }) => attempt === 2).length).fill({ attempt: 2 })],
    );
    expect((await logs("--object", fine)).stdout).toMatch(/^proof {5}copied by rclone; shard \d is done$/m);

    const none = await logs("--object", "none/such");
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toContain('has no object "none/such": keys are as the manifest has them');
    for (const [words, told] of [
      [["--shard", "6"], "--shard: there is no shard 6: the run has 0 to 5"],
      [["--object", fine, "--follow"], "leave out --follow or --object"],
    ] as const) {
      const wrong = await logs(...words);
      expect([wrong.code, wrong.stdout], wrong.stderr).toEqual([2, ""]);
      expect(wrong.stderr).toContain(told);
    }
  },
  timeoutMs,
);

test(
  "--follow shows lines as they come, those of later attempts too, and ends with the run; Ctrl-C ends it with 130",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(24, 20_000);
    const last = keys.at(-1) ?? "";
    // The shard of this object needs a second attempt, since its first has one pass.
    stage.dest.inject({
      kinds: ["PUT"],
      match: ({ key }) => key === last,
      action: "internal-error",
      times: 2,
    });
    const mend = stage.dest.inject({ kinds: ["PUT"], action: { delayMs: 150 } });
    const flags = "--transfers 1 --retries 1 --low-level-retries 1";
    const run = startXfer(
      stage.runArgs("--num-shards", "2", "--array-concurrency", "1", "--rclone-flags", flags),
      { cwd: stage.dir },
    );
    await until("a log", () => existsSync(join(stage.runDir, "logs", "shard_0_attempt_1.log")));
    const follow = ["logs", "--run-dir", stage.runDir, "--follow", "--json"];
    const followed = startXfer(follow, { cwd: stage.dir });
    const interrupted = Bun.spawn([binary, ...follow], {
      ...{ cwd: stage.dir, stdout: "pipe", stderr: "pipe" },
      env: { PATH: process.env.PATH ?? "", HOME: stage.dir },
    });
    // Once it shows something it is at work.
    await interrupted.stdout.getReader().read();
    interrupted.kill("SIGINT");
    expect(await interrupted.exited).toBe(130);
    mend();
    expect((await run.result).code).toBe(0);
    const { code, stdout, stderr } = await followed.result;
    expect([code, stderr]).toEqual([0, ""]);
    const lines = linesOf(stdout);
    const copied = lines
      .filter(({ message }) => message.startsWith("Copied ("))
      .map(({ object }) => object ?? "");
    expect(copied.sort()).toEqual(keysOf(stage.runDir).sort());
    expect(lines.some(({ attempt }) => attempt === 2)).toBe(true);
    expect(lines.filter(({ message }) => /^shard \d: attempt \d: done: /.test(message))).toHaveLength(2);
  },
  timeoutMs,
);
