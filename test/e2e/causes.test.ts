import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rclones } from "../setup/rclones.ts";
import { Stage, state, timeoutMs, xfer } from "../stage/harness.ts";

/** What a run says of its failure, each rclone in turn: on the screen, in .fail, and how often it tried. */
async function failures(prepare: (stage: Stage) => string[]) {
  const found: {
    name: string;
    stdout: string;
    stderr: string;
    code: number;
    fail: ReturnType<typeof state>;
  }[] = [];
  for (const { name, dir } of await rclones()) {
    await using stage = await Stage.start();
    const args = stage.runArgs("--num-shards", "1", ...prepare(stage));
    const env = { PATH: `${dir}:${process.env.PATH}` };
    const result = await xfer(args, { cwd: stage.dir, env });
    found.push({ name, ...result, fail: state(stage.runDir, 0, "fail") });
  }
  return found;
}

const rows: [string, (stage: Stage) => string[], { class: string; says: RegExp }][] = [
  [
    "a destination that refuses",
    (stage) => {
      stage.fill(3);
      stage.dest.inject({ kinds: ["PUT"], action: "forbidden" });
      return [];
    },
    { class: "auth", says: /Failed to copy: AccessDenied: Access Denied(?: \(PutObject\))?$/ },
  ],
  [
    "a file where a folder should be",
    (stage) => {
      stage.source.put("data", "a/b", "body");
      mkdirSync(join(stage.dir, "out"));
      writeFileSync(join(stage.dir, "out", "a"), "");
      return ["--dest", join(stage.dir, "out")];
    },
    { class: "path", says: /not a directory$/ },
  ],
  [
    "a folder where a file should be",
    (stage) => {
      stage.source.put("data", "a", "body");
      mkdirSync(join(stage.dir, "out", "a", "b"), { recursive: true });
      return ["--dest", join(stage.dir, "out")];
    },
    { class: "path", says: /is a directory$|file exists$/ },
  ],
  [
    "a destination below a file",
    (stage) => {
      stage.fill(3);
      writeFileSync(join(stage.dir, "file"), "");
      return ["--dest", join(stage.dir, "file", "out")];
    },
    { class: "config", says: /the destination \/.*\/file\/out cannot be made: ENOTDIR: not a directory/ },
  ],
];

describe("what a failure says, with each rclone", () => {
  test.each(rows)(
    "%s: by its cause, on one line, and final at the first attempt",
    async (_, prepare, { class: failure, says }) => {
      for (const { name, code, stdout, stderr, fail } of await failures(prepare)) {
        expect(code, `${name}: ${stderr}`).toBe(1);
        expect(fail, stderr).toMatchObject({ class: failure, final: true, attempt: 1 });
        for (const message of [fail?.message ?? "", ...(fail?.errors ?? []).map((error) => error.message)]) {
          expect(message, name).toMatch(says);
          expect(message).not.toMatch(/status code|StatusCode|request id|RequestID|[\n\t]/i);
        }
        const headline = stderr.split("\n").find((line) => line.includes("shard 0 failed")) ?? "";
        expect(headline, stderr).toContain(fail?.message ?? "?");
        expect(stdout).toContain(`  shard 0: ${failure}: `);
      }
    },
    timeoutMs,
  );

  test(
    "a listing that is refused, by a wrong secret: the code and the words, and no numbers of requests",
    async () => {
      const wrong = (stage: Stage) => {
        stage.fill(3);
        const conf = readFileSync(stage.conf, "utf8").replace(
          /secret_access_key = .*/,
          "secret_access_key = wrong",
        );
        writeFileSync(stage.conf, conf, { mode: 0o600 });
        return [];
      };
      for (const { name, code, stderr } of await failures(wrong)) {
        expect(code).toBe(1);
        expect(stderr, name).toMatch(
          /^xfer: listing src:data failed: SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided\.(?: \(ListObjectsV2\))? \(details: \S.*\)$/m,
        );
      }
    },
    timeoutMs,
  );
});
