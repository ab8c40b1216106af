import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Stage, timeoutMs, xfer } from "../stage/harness.ts";

const older = new Date(1.6e12);
const newer = new Date(1.7e12);

/** A source, and a destination that has a newer object of one key, of the same size. */
async function contested(): Promise<Stage> {
  const stage = await Stage.start();
  stage.source.put("data", "kept", "the source's own", { mtime: older });
  stage.source.put("data", "new", "of the source", { mtime: older });
  stage.dest.put("copy", "kept", "newer, of others", { mtime: newer });
  return stage;
}

async function contentAt(stage: Stage, key: string): Promise<string> {
  return Buffer.from((await stage.dest.get("copy", key)) ?? []).toString();
}

for (const { flags = "", env = {} } of [
  { flags: "--ignore-existing=true" },
  { flags: "--update=true" },
  { flags: "-uv" },
  { flags: "-Mu=1" },
  { env: { RCLONE_IGNORE_EXISTING: "true" } },
  { env: { RCLONE_UPDATE: "1" } },
] as { flags?: string; env?: Record<string, string> }[]) {
  test(
    `newer data at the destination is not overwritten: ${flags}${Object.keys(env)}`,
    async () => {
      await using stage = await contested();
      const run = await xfer(stage.runArgs("--num-shards", "1", "--rclone-flags", `--retries 1 ${flags}`), {
        cwd: stage.dir,
        env,
      });
      expect(await contentAt(stage, "kept")).toBe("newer, of others");
      expect(await contentAt(stage, "new")).toBe("of the source");
      expect(stage.dest.counts.PUT).toBe(1);
      const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
      expect(log).toContain("the destination is compared for ");
      expect(run.stderr).not.toContain("--no-check-dest");
      expect(log).not.toMatch(/xfer: plan: .*--no-check-dest/);
    },
    timeoutMs,
  );
}

for (const flags of ["--checksum=1", "-c=T", "--size-only=true", "--flag-of-tomorrow=x"]) {
  test(
    `what the destination has already is compared, and not sent again: ${flags}`,
    async () => {
      await using stage = await Stage.start();
      for (const key of ["same", "new"]) stage.source.put("data", key, `content of ${key}`, { mtime: older });
      stage.dest.put("copy", "same", "content of same", { mtime: newer });
      const run = await stage.xfer(
        ...stage.runArgs(
          "--num-shards",
          "1",
          "--rclone-flags",
          `--retries 1 ${flags}`,
          "--max-attempts",
          "1",
        ),
      );
      const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
      expect(log).not.toMatch(/xfer: plan: .*--no-check-dest/);
      if (flags.includes("tomorrow")) {
        expect(run.code).toBe(1);
        expect(stage.dest.counts.PUT).toBe(0);
        return;
      }
      expect(run.code).toBe(0);
      expect(stage.dest.counts.PUT).toBe(1);
      expect(await contentAt(stage, "new")).toBe("content of new");
    },
    timeoutMs,
  );
}
