import type { MetadataMode } from "../rclone/preserved.ts";
import type { RcloneReach } from "../rclone/reach.ts";
import type { AgentSource } from "./install-agent.ts";

/** What the batch job asks for. */
interface SlurmSetup {
  jobName: string;
  arrayConcurrency: number;
  timeLimit: string;
  partition: string;
  cpusPerTask: number;
  mem: string;
  /** Seconds before the time limit at which the agent is told to stop. */
  stopLeadSeconds: number;
  sbatchExtras: readonly string[];
}

/** What a run directory is rendered from. */
export interface RenderOptions {
  runDir: string;
  manifestPath: string;
  /** Taken from shards.meta.json when not given. */
  numShards: number | undefined;
  /** Taken from the manifest when not given. */
  sourceRoot: string | undefined;
  destRoot: string | undefined;
  /** How the agents reach rclone. */
  rclone: RcloneReach;
  rcloneFlags: readonly string[];
  /** Whether rclone is asked to carry metadata. */
  metadata: MetadataMode;
  /** Whether a destination bucket that is not there is created. */
  createBucket: boolean;
  maxAttempts: number;
  maxRestarts: number;
  slurm: SlurmSetup;
  agent: AgentSource;
  version: string;
  now: Date;
  /** Aborted to end a long look at the shards of an earlier build. */
  stop?: AbortSignal;
}
