import { describe, expect, test } from "bun:test";
import render from "../../../cmd/slurm/render.ts";
import { always, optionsGiven, rcloneDefaults, renderDefaults, toldOf } from "../command-line.ts";

describe("xfer slurm render: what its flags say", () => {
  const usual = {
    ...{ ...always, ...rcloneDefaults, ...renderDefaults },
    ...{ "run-dir": "run", "num-shards": undefined, "source-root": undefined, "dest-root": undefined },
    ...{ manifest: undefined, json: false },
  };
  const rows: [string, object][] = [
    ["", usual],
    ["--num-shards 12 --manifest m.jsonl", { ...usual, "num-shards": 12, manifest: "m.jsonl" }],
    [
      "--source-root a: --dest-root b: --json",
      { ...usual, "source-root": "a:", "dest-root": "b:", json: true },
    ],
    ["--array-concurrency 128", { ...usual, "array-concurrency": 128 }],
    ["--time-limit 2-12:30 --stop-lead 600", { ...usual, "time-limit": "2-12:30", "stop-lead": 600 }],
    [
      "--partition a,b --mem 0 --cpus-per-task 8",
      { ...usual, partition: "a,b", mem: "0", "cpus-per-task": 8 },
    ],
    ["--max-attempts 1 --max-restarts 0", { ...usual, "max-attempts": 1, "max-restarts": 0 }],
    ["--sbatch-extras '--account=a -q b'", { ...usual, "sbatch-extras": ["--account=a", "--qos=b"] }],
    ["--rclone-flags --transfers=8", { ...usual, "rclone-flags": ["--transfers=8"] }],
    ["--rclone-flags=", { ...usual, "rclone-flags": [] }],
    ["--add-rclone-flags --checksum", { ...usual, "add-rclone-flags": ["--checksum"] }],
    ["--metadata", { ...usual, metadata: true }],
    ["--no-metadata --create-bucket", { ...usual, metadata: false, "create-bucket": true }],
    ["--container-conf-path /c", { ...usual, "rclone-conf-in-container": "/c" }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await optionsGiven(render, `--run-dir run ${line}`)).toEqual(options);
  });
});

describe("xfer slurm render: a wrong value is told", () => {
  const rows: [string, string | RegExp][] = [
    ["--num-shards auto", '--num-shards: must be a whole number from 1 to 1000000, not "auto"'],
    ["--array-concurrency 0", '--array-concurrency: must be at least 1, not "0"'],
    ["--time-limit soon", /^--time-limit: "soon" is no time limit: write minutes, .* or UNLIMITED$/],
    ["--mem 8X", /^--mem: "8X" is no amount of memory: write a whole number with K, M/],
    ["--partition 'a b'", /^--partition: "a b" names no partition: write a name, or names joined by commas$/],
    ["--job-name a\u007fb", "--job-name: a control character cannot be in an sbatch option"],
    ["--cpus-per-task 1.5", '--cpus-per-task: must be a whole number of at least 1, not "1.5"'],
    ["--max-attempts 0", '--max-attempts: must be at least 1, not "0"'],
    ["--max-restarts x", '--max-restarts: must be a whole number of at least 0, not "x"'],
    ["--stop-lead 65536", '--stop-lead: must be at most 65535, not "65536"'],
    ["--sbatch-extras foo", /^--sbatch-extras: "foo" is no option/],
    ["--sbatch-extras --array=1", /^--sbatch-extras: --array cannot be used here/],
    ["--agent-path=", '--agent-path: must not be empty, not ""'],
    ["--image-check", "unknown flag --image-check"],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(render, `--run-dir run ${line}`)).toEqual(
      typeof told === "string" ? told : expect.stringMatching(told),
    );
  });
});
