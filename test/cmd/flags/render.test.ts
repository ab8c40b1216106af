import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { renderOptionsOf } from "../../../cmd/flags/render.ts";
import render from "../../../cmd/slurm/render.ts";
import { version } from "../../../package.json" with { type: "json" };
import { optionsGiven } from "../command-line.ts";

type Input = Parameters<typeof renderOptionsOf>[0];
type Rendered = ReturnType<typeof renderOptionsOf>;

const defaults = { runtime: "pyxis", arrayConcurrency: 64, binary: "/opt/xfer" } as const;

const rendered = async (line: string, given: Parameters<typeof renderOptionsOf>[1] = defaults) =>
  renderOptionsOf(await optionsGiven<Input>(render, `--run-dir run ${line}`), given);

test("what is rendered when nothing is said", async () => {
  expect(await rendered("")).toEqual({
    rclone: {
      ...{ runtime: "pyxis", image: undefined, configPath: undefined, pyxisExtra: [] },
      confInContainer: "/etc/rclone/rclone.conf",
    },
    rcloneFlags: [
      ...["--transfers", "32", "--checkers", "64", "--fast-list"],
      ...["--retries", "10", "--low-level-retries", "20"],
    ],
    ...{ metadata: "auto", createBucket: false, maxAttempts: 5, maxRestarts: 50 },
    slurm: {
      ...{ jobName: "xfer", arrayConcurrency: 64, timeLimit: "24:00:00", partition: "transfer" },
      ...{ cpusPerTask: 4, mem: "8G", stopLeadSeconds: 120, sbatchExtras: [] },
    },
    agent: { copyOf: "/opt/xfer" },
    version,
  });
});

describe("what of it flags change", () => {
  const rows: [string, Partial<Rendered> | { slurm: Partial<Rendered["slurm"]> }][] = [
    ["--rclone-flags '--transfers 8'", { rcloneFlags: ["--transfers", "8"] }],
    [
      "--rclone-flags '--transfers 8' --add-rclone-flags --checksum",
      { rcloneFlags: ["--transfers", "8", "--checksum"] },
    ],
    ["--metadata", { metadata: "on" }],
    ["--no-metadata", { metadata: "off" }],
    ["--metadata --add-rclone-flags --metadata", { metadata: "on" }],
    ["--add-rclone-flags --metadata", { metadata: "auto" }],
    ["--agent-path /x", { agent: { path: "/x" } }],
    ["--array-concurrency 3", { slurm: { arrayConcurrency: 3 } }],
    // Half of a limit that is not over four minutes.
    ["--time-limit 2", { slurm: { timeLimit: "2", stopLeadSeconds: 60 } }],
    ["--time-limit 2 --stop-lead 5", { slurm: { stopLeadSeconds: 5 } }],
    // The limit that sbatch will take is the user's own.
    ["--sbatch-extras --time=2", { slurm: { sbatchExtras: ["--time=2"], stopLeadSeconds: 60 } }],
  ];
  test.each(rows)("%s", async (line, options) => {
    expect(await rendered(line)).toMatchObject(options);
  });

  test("an image that is a file here is named by its whole path, but not where rclone is on PATH", async () => {
    const reach = async (line: string) => (await rendered(line)).rclone;
    expect(await reach("--rclone-image ./rclone.sqsh")).toMatchObject({ image: resolve("rclone.sqsh") });
    expect(await reach("--rclone-image /shared/rclone.sqsh --runtime apptainer")).toMatchObject({
      ...{ image: "/shared/rclone.sqsh", runtime: "apptainer" },
    });
    expect(await reach("--rclone-config rclone.conf --container-conf-path /c")).toMatchObject({
      ...{ configPath: resolve("rclone.conf"), confInContainer: "/c" },
    });
  });
});

describe("what cannot be rendered", () => {
  const rows: [string, string][] = [
    [
      "--metadata --rclone-flags --metadata=false",
      "--metadata: --rclone-flags say --metadata=false: leave one of them out",
    ],
    [
      "--rclone-image docker://user:word@registry#image",
      "--rclone-image: carries a credential: put it in the credentials file of enroot or apptainer",
    ],
    [
      "--sbatch-extras --time=1 --stop-lead 60",
      "--stop-lead: 60 s is not less than the time limit 1 (60 s): each task would be told to stop at its start",
    ],
  ];
  test.each(rows)("%s", async (line, told) => {
    await expect(rendered(line)).rejects.toThrow(new Error(told));
  });

  test("an xfer that is no file of its own cannot be copied", async () => {
    const fromSources = { ...defaults, binary: undefined };
    expect((await rendered("--agent-path /x", fromSources)).agent).toEqual({ path: "/x" });
    await expect(rendered("", fromSources)).rejects.toThrow(/^--agent-path is needed: /);
  });
});
