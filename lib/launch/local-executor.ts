import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { type RunLayout, shardLayout } from "../run/layout.ts";
import { submissionVariable } from "../run/submissions.ts";
import { exitCodes } from "../system/errors.ts";
import { sleep } from "../system/interrupt.ts";
import { wordsOfLine } from "../system/log.ts";
import { childEnvironment, startSupervised } from "../system/process.ts";
import { stopWith } from "../system/stop-child.ts";

/** The wait before a shard is started again: it doubles from start to start, up to the maximum. */
const restartWaitMs = 1_000;
const restartWaitMsMax = 30_000;
/** Threads of an agent's file operations: it looks at many files side by side, however few cores there are. */
const threads = "16";
/** How long a stopped agent may take before it is killed. */
const stopGraceMs = 20_000;

/** How the executor left a shard. */
export interface ShardEnd {
  shard: number;
  outcome: "done" | "failed" | "stopped";
  /** The last words of its agent's last start, without the time; empty when it said nothing. */
  said: string;
  /** When that start was made, in milliseconds of the clock. */
  startedAt: number;
}

/** What the local executor runs. */
export interface LocalExecutorOptions {
  run: RunLayout;
  shards: readonly number[];
  /** How many agents run side by side. */
  concurrency: number;
  /** The command that `agent` and its flags follow. */
  command: readonly [string, ...string[]];
  submission: string;
  stop: AbortSignal;
  /** Aborted when the run is paused: no agent is started any more, and those that run end by themselves. */
  pause: AbortSignal;
}

/** Starts of one shard in a submission: far more than attempts and stops can ask for, but bounded. */
const startsMax = 1_000;

/**
 * Runs the agents of these shards as child processes, and starts those again that say they can go on, as Slurm's
 * requeue would. When `stop` is aborted every agent is told to stop, and none is left when this returns; when `pause` is,
 * they have seen it, too.
 */
export async function runLocally(options: LocalExecutorOptions): Promise<ShardEnd[]> {
  const { run, shards } = options;
  const halt = AbortSignal.any([options.stop, options.pause]);
  mkdirSync(run.logsDir, { recursive: true });
  const ends: ShardEnd[] = [];
  // Shards waiting for a start or a restart, and the earliest time of it.
  const waiting = shards.map((shard) => ({ shard, starts: 0, notBeforeMs: 0 }));
  const worker = async (): Promise<void> => {
    for (;;) {
      if (halt.aborted) return;
      const now = Date.now();
      const index = waiting.findIndex((entry) => entry.notBeforeMs <= now);
      if (index === -1) {
        if (waiting.length === 0) return;
        await sleep(Math.min(...waiting.map((entry) => entry.notBeforeMs)) - now, halt);
        continue;
      }
      const [entry] = waiting.splice(index, 1);
      if (!entry) return;
      const { shard } = entry;
      const startedAt = Date.now();
      const end = await runAgentProcess(shard, options);
      const { said } = end;
      if (end.code === exitCodes.done) ends.push({ shard, outcome: "done", said, startedAt });
      else if (options.stop.aborted || (options.pause.aborted && end.canGoOn))
        ends.push({ shard, outcome: "stopped", said, startedAt });
      else if (end.canGoOn && entry.starts + 1 < startsMax) {
        const waitMs = Math.min(restartWaitMsMax, restartWaitMs * 2 ** Math.min(entry.starts, 10));
        waiting.push({ shard, starts: entry.starts + 1, notBeforeMs: Date.now() + waitMs });
      } else ends.push({ shard, outcome: "failed", said, startedAt });
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, worker));
  for (const { shard } of waiting) ends.push({ shard, outcome: "stopped", said: "", startedAt: Date.now() });
  return ends.sort((one, other) => one.shard - other.shard);
}

interface AgentEnd {
  code: number;
  /** Whether another start can bring the shard on: the agent said so by its exit code, or it was killed. */
  canGoOn: boolean;
  said: string;
}

async function runAgentProcess(shard: number, options: LocalExecutorOptions): Promise<AgentEnd> {
  const { run, command, submission, stop } = options;
  const output = shardLayout(run, shard).agentOutput;
  const fd = openSync(output, "a", 0o666);
  const { size: saidBefore } = fstatSync(fd);
  try {
    const agent = startSupervised([...command, "agent", "--run-dir", run.dir, "--shard", String(shard)], {
      env: { UV_THREADPOOL_SIZE: threads, ...childEnvironment(), [submissionVariable]: submission },
      outputFd: fd,
    });
    using _ = stopWith(agent, stop, (reason) => ({
      graceMs: stopGraceMs,
      ask: () => agent.signalGroup(reason === "SIGINT" ? "SIGINT" : "SIGTERM"),
    }));
    const exit = await agent.exited;
    const canGoOn = exit.code === exitCodes.resumable || exit.signal !== null;
    return {
      code: exit.code,
      canGoOn,
      said: exit.code === exitCodes.done ? "" : lastWords(output, saidBefore),
    };
  } finally {
    closeSync(fd);
  }
}

/** The last line of what was added to a file since it had so many bytes. */
function lastWords(path: string, from: number): string {
  const lines = readFileSync(path).subarray(from).toString("utf8").trimEnd().split("\n");
  return wordsOfLine(lines.at(-1) ?? "");
}
