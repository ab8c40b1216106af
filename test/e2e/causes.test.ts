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

test(
  "sixteen shards that are refused for one reason: it is said once, with a count and what mends it",
  async () => {
    await using stage = await Stage.start();
    stage.fill(32);
    stage.dest.inject({ kinds: ["PUT"], action: "forbidden" });
    const reason =
      /16 shards: auth: Failed to copy: AccessDenied: Access Denied.* \(32 objects, the first: .*\)/;
    const { code, stdout, stderr } = await stage.xfer(...stage.runArgs("--num-shards", "16"));
    expect(code).toBe(1);
    expect(stdout.match(/AccessDenied/g)).toHaveLength(1);
    expect(stdout).toMatch(reason);
    expect(stdout).toMatch(/^ {4}to mend it: see that the credentials in rclone\.conf /m);
    expect(stderr).toContain(" error: 16 of 16 shards failed: 32 objects not proven\n");
    expect(stderr).not.toContain("AccessDenied");
    // Again as JSON: its reader sees no text, and a log has the reason.
    const again = await stage.xfer(...stage.runArgs("--num-shards", "16", "--json"));
    expect(JSON.parse(again.stdout)).toMatchObject({
      failed: { objects: 32 },
      causes: [{ class: "auth", num_shards: 16, objects: 32 }],
    });
    const lines = again.stderr.split("\n").filter((line) => line.includes("AccessDenied"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(reason);
    for (const line of again.stderr.split("\n")) {
      expect(line.match(/\d{4}-\d\d-\d\dT/g)?.length ?? 0, line).toBeLessThan(2);
    }
  },
  timeoutMs,
);

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
        expect(stderr).toMatch(/^\S+ error: 1 of 1 shard failed: \d objects? not proven$/m);
        const reason = stdout.split("\n").find((line) => line.startsWith(`  shard 0: ${failure}: `)) ?? "";
        expect(reason, stdout).toContain((fail?.message ?? "?").replace(/^\d+ objects? not proven: /, ""));
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
