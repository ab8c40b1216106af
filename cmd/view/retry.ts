import type { RetryEnd } from "../../lib/operate/retry.ts";
import { formatNumberList } from "../../lib/system/number-list.ts";
import { quoteWord } from "../../lib/system/shell-words.ts";
import { formatCount, formatShards } from "../../lib/system/units.ts";
import { accountText } from "./account.ts";
import { proofJson } from "./launched.ts";

/** "2 shards (3,17)". */
const named = (shards: readonly number[]): string =>
  `${formatShards(shards.length)} (${formatNumberList(shards)})`;

/** What became of shards that were to be tried again, for people. */
export function retryText(result: RetryEnd): string {
  const { runDir, shards } = result;
  const dir = quoteWord(runDir);
  switch (result.kind) {
    case "nothing":
      return result.wasStarted
        ? "nothing to retry\n"
        : `nothing to retry: ${runDir} was never started: xfer slurm submit --run-dir ${dir}, or the xfer run that made it\n`;
    case "submitted": {
      const { jobId, tasks, stride } = result.array;
      const packed = stride === null ? "" : `, in ${formatCount(tasks.length)} tasks`;
      return `job ${jobId}: ${named(shards)} tried again${packed}\n`;
    }
    case "ran": {
      const { account, causes, exitCode } = result.end;
      const isWhole = account.shards.done === account.shards.total;
      const next = isWhole ? `compare the destination: xfer verify --run-dir ${dir}\n` : "";
      const how = exitCode === 0 ? "done" : "not all of them are done";
      return `${accountText(account, runDir, causes)}${named(shards)} tried again: ${how}\n${next}`;
    }
  }
}

/** That shards were left alone since somebody is at work on them; undefined where there is none. */
export function leftAloneText({ busy }: RetryEnd): string | undefined {
  if (busy.length === 0) return undefined;
  return `${named(busy)} that failed before left alone: running or in the queue`;
}

/** What became of shards that were to be tried again, schema xfer.retry.v1. */
export function retryJson(result: RetryEnd) {
  const { runDir, shards, busy } = result;
  const array = result.kind === "submitted" ? result.array : null;
  const config = result.kind === "nothing" ? null : result.config;
  const end = result.kind === "ran" ? result.end : null;
  return {
    schema: "xfer.retry.v1",
    run_dir: runDir,
    executor: result.kind === "nothing" ? null : array ? "slurm" : "local",
    shards: formatNumberList(shards),
    num_shards: shards.length,
    busy_shards: formatNumberList(busy),
    job_id: array?.jobId ?? null,
    tasks: array ? formatNumberList(array.tasks) : null,
    stride: array?.stride ?? null,
    max_attempts: config?.max_attempts ?? null,
    rclone_flags: config?.rclone_flags ?? null,
    account: end?.account ?? null,
    causes: end?.causes ?? null,
    ...(result.kind === "submitted" ? proofJson(result.proof) : {}),
  } as const;
}
