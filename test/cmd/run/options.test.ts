import { describe, expect, test } from "bun:test";
import run from "../../../cmd/run/index.ts";
import { optionsOf } from "../../../cmd/run/options.ts";
import {
  always,
  listDefaults,
  optionsGiven,
  rcloneDefaults,
  renderDefaults,
  toldOf,
} from "../command-line.ts";

type Input = Parameters<typeof optionsOf>[0];
type Options = ReturnType<typeof optionsOf>;

/** A machine of seven CPUs on which xfer is one file. */
const here = { cpus: 7, binary: "/opt/xfer", now: new Date("2026-11-22T08:15:00Z") };

const asked = async (line: string) => optionsOf(await optionsGiven<Input>(run, line), here);

test("xfer run: what its flags say when nothing is said", async () => {
  expect(await optionsGiven(run, "")).toEqual({
    ...{ ...always, ...rcloneDefaults, ...listDefaults, ...renderDefaults, "posix-list": true },
    ...{ source: undefined, dest: undefined, "run-dir": "run", executor: "slurm", delta: false },
    ...{ compare: "size", verify: undefined, "allow-untransferable": false, "num-shards": undefined },
    ...{ strategy: "bytes", submit: false, watch: false, json: false, "dry-run": false, force: false },
  });
});

describe("xfer run: what differs by executor", () => {
  const rows: [string, Partial<Options>, Partial<Options["render"]>, Partial<Options["render"]["slurm"]>][] =
    [
      [
        "",
        { executor: "slurm", runtime: "pyxis", numShardsDefault: 256, minShardSeconds: undefined },
        { agent: { copyOf: "/opt/xfer" } },
        { arrayConcurrency: 64 },
      ],
      [
        "--executor local",
        { executor: "local", runtime: "host", numShardsDefault: "auto", minShardSeconds: 5 },
        // Where the agents run at once the binary need not be copied.
        { agent: { path: "/opt/xfer" } },
        { arrayConcurrency: 7 },
      ],
      [
        "--executor local --runtime apptainer --agent-path /x --array-concurrency 2 --num-shards 9",
        { runtime: "apptainer", numShards: 9, numShardsDefault: "auto" },
        { agent: { path: "/x" } },
        { arrayConcurrency: 2 },
      ],
      [
        "--runtime host --agent-path /x --array-concurrency 2 --num-shards auto",
        { runtime: "host", numShards: "auto", numShardsDefault: 256 },
        { agent: { path: "/x" } },
        { arrayConcurrency: 2 },
      ],
    ];
  test.each(rows)("%s", async (line, options, render, slurm) => {
    const got = await asked(line);
    expect(got).toMatchObject(options);
    expect(got.render).toMatchObject(render);
    expect(got.render.slurm).toMatchObject(slurm);
  });
});

describe("xfer run: what a flag asks for", () => {
  const rows: [string, Partial<Options>][] = [
    ["--source a: --dest b:", { source: "a:", dest: "b:" }],
    [
      "",
      {
        runDir: "run",
        manifest: "run/manifest.jsonl",
        verifies: true,
        submits: false,
        watches: false,
        delta: false,
      },
    ],
    ["--run-dir there/r", { runDir: "there/r", manifest: "there/r/manifest.jsonl" }],
    ["--submit", { submits: true, verifies: true, verifiesInQueue: false }],
    ["--submit --verify", { submits: true, verifies: true, verifiesInQueue: true }],
    ["--submit --no-verify", { verifies: false, verifiesInQueue: false }],
    ["--watch --verify", { watches: true, verifies: true, verifiesInQueue: false }],
    ["--no-verify", { verifies: false }],
    ["--executor local --verify", { verifies: true, verifiesInQueue: false }],
    ["--executor local --no-verify", { verifies: false }],
    ["--delta --compare mtime", { delta: true, compare: "mtime" }],
    ["--strategy count --list-parallel 4", { strategy: "count", listParallel: 4 }],
    [
      "--no-image-check --allow-untransferable --json",
      { imageCheck: false, allowsUntransferable: true, json: true },
    ],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await asked(line)).toMatchObject(options);
  });
});

describe("xfer run: flags that contradict each other", () => {
  const rows: [string, string][] = [
    [
      "--verify",
      "--verify is for --executor local, --submit or --watch: run xfer verify when the array has ended",
    ],
    ["--executor local --submit", "--submit is for --executor slurm: local runs the agents at once"],
    ["--executor local --watch", "--watch is for --executor slurm: local waits by itself"],
    [
      "--no-metadata --add-rclone-flags -M",
      "--no-metadata: --rclone-flags say --metadata=true: leave one of them out",
    ],
    [
      "--time-limit 1 --stop-lead 60",
      "--stop-lead: 60 s is not less than the time limit 1 (60 s): each task would be told to stop at its start",
    ],
    [
      "--rclone-conf-in-container /a --container-conf-path /b",
      "--rclone-conf-in-container and --container-conf-path are one flag: give it one value",
    ],
  ];
  test.each(rows)("%s", async (line, told) => {
    await expect(asked(line)).rejects.toThrow(new Error(told));
  });
});

describe("xfer run: a wrong value is told", () => {
  const rows: [string, string][] = [
    ["--executor pbs", '--executor: must be one of slurm, local, not "pbs"'],
    ["--num-shards 0", '--num-shards: must be at least 1, not "0"'],
    ["--compare all", '--compare: must be one of size, checksum, mtime, not "all"'],
    ["--run-dir=", '--run-dir: must not be empty, not ""'],
    ["--source=", '--source: must not be empty, not ""'],
    ["--submit=yes", "--submit takes no value"],
    ["--no-submitted", "unknown flag --no-submitted"],
    ["src:set dst:set", 'unexpected argument "src:set"'],
  ];
  test.each(rows)("%s", async (line, told) => {
    expect(await toldOf(run, line)).toBe(told);
  });
});
