import { type Finding, failure, ok, skipped, warning } from "../launch/finding.ts";
import type { Accounting, AccountingLimits } from "../slurm/accounting.ts";
import { type ArrayLimits, packArray } from "../slurm/array-limits.ts";
import type { TaskRequest } from "../slurm/task-request.ts";
import { formatCount, formatDuration, formatShards } from "../system/units.ts";

/** The array of a run; shards are undefined where no run is looked at. */
export interface WantedArray {
  shards: number | undefined;
  /** How many tasks are to run at a time. */
  atATime: number;
}

/**
 * The cluster's own limits for an array:
 *
 * | the cluster takes | |
 * |---|---|
 * | a task for each shard | ok |
 * | fewer | ok: each task copies several shards |
 * | none | failure |
 * | anything, and no run is named | ok: the limits are told |
 */
export function arrayFinding(limits: ArrayLimits | undefined, { shards }: WantedArray): Finding {
  const check = "array-size";
  if (limits === undefined) return skipped(check, "Slurm did not tell its configuration (scontrol)");
  const most = packArray(Number.MAX_SAFE_INTEGER, limits);
  const tasks = `${formatCount(most)} ${most === 1 ? "task" : "tasks"}`;
  if (most === 0) {
    const text = "the cluster allows no job arrays (MaxArraySize, MaxJobCount)";
    return failure(
      check,
      text,
      "ask its administrators, or copy with xfer run --executor local on a node of it",
    );
  }
  if (shards === undefined) return ok(check, `an array has ${tasks} at most`);
  if (shards <= most) return ok(check, `${formatShards(shards)}; an array has ${tasks} at most`);
  const each = Math.ceil(shards / most);
  return ok(
    check,
    `${formatShards(shards)} in an array of ${tasks}: a task copies up to ${formatCount(each)}`,
  );
}

/** What is known of the limits of accounts. */
export interface AccountFacts {
  accounting: Accounting | undefined;
  /** What Slurm enforces of them (AccountingStorageEnforce): "associations,limits,qos". */
  enforces: string;
}

/**
 * The limits of the account and the QOS of a run:
 *
 * | | enforced | not enforced |
 * |---|---|---|
 * | there is no accounting, or it knows no account of the user | skipped | skipped |
 * | the account or QOS that is named is none of the user's | failure | ok |
 * | MaxSubmit is below the tasks of the array | failure | ok |
 * | MaxWall, MaxTRES are below what a task asks for | failure | ok |
 * | MaxJobs is below the tasks at a time | warning: fewer run | ok |
 */
export function accountFindings(
  { accounting, enforces }: AccountFacts,
  request: TaskRequest,
  array: { tasks: number | undefined; atATime: number },
): Finding[] {
  const check = "account";
  if (accounting === undefined) {
    return [skipped(check, "limits of accounts and QOS are not known: no accounting answers (sacctmgr)")];
  }
  const { associations } = accounting;
  if (associations.length === 0) return [skipped(check, "the accounting knows no account of this user")];
  const named = [...new Set(associations.map(({ account }) => account))].join(", ");
  const own =
    request.account === undefined
      ? (associations.find(({ isDefault }) => isDefault) ?? associations[0])
      : associations.find(({ account }) => account === request.account);
  if (own === undefined) {
    const text = `${request.account} is no account of this user's`;
    const found = failure(check, text, `render with --sbatch-extras --account=ACCOUNT, one of: ${named}`);
    return [
      /associations|limits|qos|safe|wckeys/.test(enforces)
        ? found
        : ok(check, `${text}; Slurm does not mind`),
    ];
  }
  const qos = request.qos ?? (own.defaultQos || undefined);
  const isForeign = request.qos !== undefined && own.qos.length > 0 && !own.qos.includes(request.qos);
  if (isForeign && /qos/.test(enforces)) {
    const text = `${request.qos} is no QOS of the account ${own.account}`;
    return [failure(check, text, `render with --sbatch-extras --qos=QOS, one of: ${own.qos.join(", ")}`)];
  }
  const what = qos === undefined ? own.account : `${own.account}, QOS ${qos}`;
  if (!/limits|safe/.test(enforces)) return [ok(check, `${what}; Slurm enforces no limits of theirs`)];
  const limits: [string, AccountingLimits][] = [[`account ${own.account}`, own]];
  const ofQos = qos === undefined ? undefined : accounting.qos.get(qos);
  if (ofQos) limits.push([`QOS ${qos}`, ofQos]);
  const found = limits.flatMap(([name, one]) => limitFindings(name, one, request, array));
  return found.length > 0 ? found : [ok(check, `${what}: the run is within its limits`)];
}

function limitFindings(
  name: string,
  limits: AccountingLimits,
  { timeLimit, cpus, memoryMb }: TaskRequest,
  { tasks, atATime }: { tasks: number | undefined; atATime: number },
): Finding[] {
  const check = "account";
  const found: Finding[] = [];
  const over = (wanted: number | undefined, most: number | undefined): most is number =>
    wanted !== undefined && most !== undefined && wanted > most;
  if (over(tasks, limits.maxSubmit)) {
    const text = `${name} takes ${formatCount(limits.maxSubmit)} jobs, and the array has ${formatCount(tasks ?? 0)} tasks`;
    found.push(failure(check, text, `shard again with --num-shards ${limits.maxSubmit} at most`));
  }
  if (over(timeLimit, limits.maxWall)) {
    const minutes = Math.floor(limits.maxWall / 60);
    const text = `${name} allows ${formatDuration(limits.maxWall)} a job, less than the time limit of a task`;
    found.push(failure(check, text, `render with --time-limit ${minutes} (minutes) at most`));
  }
  if (over(cpus, limits.maxCpus)) {
    const text = `${name} allows ${formatCount(limits.maxCpus)} CPUs a job, less than a task asks for`;
    found.push(failure(check, text, `render with --cpus-per-task ${limits.maxCpus} at most`));
  }
  if (over(memoryMb, limits.maxMemoryMb)) {
    const text = `${name} allows ${formatCount(limits.maxMemoryMb)} MiB a job, less than a task asks for`;
    found.push(failure(check, text, `render with --mem ${limits.maxMemoryMb}M at most`));
  }
  const running = Math.min(atATime, tasks ?? atATime);
  if (over(running, limits.maxJobs)) {
    const text = `${name} lets ${formatCount(limits.maxJobs)} jobs run at a time, and the run wants ${formatCount(running)}`;
    found.push(warning(check, text, `nothing breaks; --array-concurrency ${limits.maxJobs} says what is`));
  }
  return found;
}
