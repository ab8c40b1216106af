import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RenderOptions } from "../../../lib/launch/request.ts";

/** Slurm's part of a request, as the golden batch script has it. */
export const slurm: RenderOptions["slurm"] = {
  jobName: "xfer",
  arrayConcurrency: 64,
  timeLimit: "24:00:00",
  partition: "transfer",
  cpusPerTask: 4,
  mem: "8G",
  stopLeadSeconds: 120,
  sbatchExtras: [],
};

/** What the run directory `dir`/run is rendered from; two object stores, and an agent that is a small file. */
export function requestOf(dir: string): RenderOptions {
  const configPath = join(dir, "rclone.conf");
  const store = (name: string) => `[${name}]\ntype = s3\nendpoint = http://${name}.example\n`;
  writeFileSync(configPath, store("src") + store("dst"));
  const agent = join(dir, "agent");
  writeFileSync(agent, "#!/bin/sh\n");
  return {
    runDir: join(dir, "run"),
    manifestPath: join(dir, "run", "manifest.jsonl"),
    numShards: undefined,
    sourceRoot: undefined,
    destRoot: undefined,
    rclone: {
      runtime: "host",
      image: undefined,
      configPath,
      confInContainer: "/etc/rclone.conf",
      pyxisExtra: [],
    },
    rcloneFlags: ["--transfers", "8"],
    metadata: "auto",
    createBucket: false,
    maxAttempts: 5,
    maxRestarts: 50,
    slurm,
    agent: { copyOf: agent },
    version: "9.9.9",
    now: new Date("2026-11-25T08:00:00.000Z"),
  };
}
