import { chmodSync, chownSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sampleObjects } from "../data/fill.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { paced } from "../setup/pace.ts";
import { binary, differentKeys, type State, state } from "./harness.ts";

/** Two endpoints and a directory on the "shared filesystem", as an ordinary user of the cluster has them. */
export class SlurmStage implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly dir: string;
  readonly source: S3Endpoint;
  readonly dest: S3Endpoint;
  readonly conf: string;
  readonly xferPath: string;

  private constructor(cluster: Cluster, dir: string, source: S3Endpoint, dest: S3Endpoint) {
    this.cluster = cluster;
    this.dir = dir;
    this.source = source;
    this.dest = dest;
    this.conf = join(dir, "rclone.conf");
    this.xferPath = join(dir, "xfer");
    writeFileSync(this.conf, `${source.rcloneSection("src")}\n${dest.rcloneSection("dst")}\n`);
    chmodSync(this.conf, 0o600);
    chownSync(this.conf, cluster.user.uid, cluster.user.gid);
    cpSync(binary, this.xferPath);
    chmodSync(this.xferPath, 0o755);
  }

  static async start(cluster: Cluster, name: string): Promise<SlurmStage> {
    const source = await S3Endpoint.start({ buckets: ["data"] });
    const dest = await S3Endpoint.start({ buckets: ["copy"] });
    return new SlurmStage(cluster, await cluster.sharedDir(name), source, dest);
  }

  get runDir(): string {
    return join(this.dir, "run");
  }

  fill(count: number): string[] {
    const keys: string[] = [];
    for (const { key, body, mtime } of sampleObjects(count, 100_000)) {
      this.source.put("data", key, body, { mtime });
      keys.push(key);
    }
    return keys;
  }

  /** Runs xfer as the ordinary user. */
  async xfer(...args: string[]) {
    return this.cluster.run([this.xferPath, ...args], { asUser: true, cwd: this.dir });
  }

  /** `xfer run` up to, or with, the submission. */
  runArgs(...more: string[]): string[] {
    return [
      ...[
        "run",
        "--source",
        "src:data",
        "--dest",
        "dst:copy",
        "--rclone-config",
        this.conf,
        "--rclone-image",
        this.cluster.imageDir,
      ],
      ...[
        "--run-dir",
        this.runDir,
        "--cpus-per-task",
        "1",
        "--mem",
        "500M",
        "--time-limit",
        String(paced(10)),
        ...more,
      ],
    ];
  }

  async submit(...more: string[]): Promise<string> {
    const result = await this.xfer(...this.runArgs("--submit", ...more));
    if (result.code !== 0) throw new Error(result.stderr);
    return result.stdout.trim();
  }

  different(keys: readonly string[]): Promise<string[]> {
    return differentKeys(this.source, this.dest, keys);
  }

  states(kind: "done" | "fail" | "attempt"): State[] {
    return Array.from({ length: 64 }, (_, shard) => state(this.runDir, shard, kind)).filter(
      (one) => one !== undefined,
    );
  }

  logs(): string {
    const dir = join(this.runDir, "logs");
    const names = readdirSync(dir).filter((name) => name.startsWith("slurm_"));
    return names.map((name) => `== ${name}\n${readFileSync(join(dir, name), "utf8")}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.stop();
    await this.dest.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
