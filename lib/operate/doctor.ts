import { userInfo } from "node:os";
import { tryAgent } from "../launch/agent-check.ts";
import { confFinding, lookAtConf } from "../launch/conf-look.ts";
import { needsOfRun, readRoom, roomFindings } from "../launch/disk-room.ts";
import { type Finding, failure, ok, skipped } from "../launch/finding.ts";
import { fitChecks, partitionFindings } from "../launch/slurm-fit.ts";
import { bucketOf } from "../rclone/bucket.ts";
import { confPathHere, remoteContext } from "../rclone/conf.ts";
import { runLayout } from "../run/layout.ts";
import { readAccounting } from "../slurm/accounting.ts";
import { packArray, parseArrayLimits } from "../slurm/array-limits.ts";
import { readPartitions } from "../slurm/partitions.ts";
import { stoppedError, stopReason } from "../system/interrupt.ts";
import {
  type ClockLook,
  clockFinding,
  type Endpoint,
  endpointsOf,
  lookAtClock,
  skewFinding,
} from "./doctor-clock.ts";
import {
  destFinding,
  imageFinding,
  type Looked,
  nodeBinaryFinding,
  nodeConfFinding,
  nodeFolderFinding,
  probeFinding,
  rcloneFinding,
  sourceFinding,
  stepFinding,
} from "./doctor-findings.ts";
import { accountFindings, arrayFinding } from "./doctor-limits.ts";
import { lookAround } from "./doctor-look.ts";
import { type Answer, ask } from "./doctor-run.ts";
import type { DoctorTarget } from "./doctor-target.ts";
import { binaryFinding, pyxisFinding, testOnlyFinding, toolFinding, toolsOf } from "./doctor-tools.ts";

/** How far a doctor goes. */
export interface DoctorOptions {
  /** Whether a short job step looks on a compute node. */
  throughSrun: boolean;
  /** Whether an object is put to the destination, read back and deleted. */
  writeProbe: boolean;
  stop: AbortSignal;
}

/** How long each program may take to answer, in ms. */
const [toolMs, planMs] = [15_000, 30_000];

/**
 * Looks at all that a run needs, in the order in which it is told. It submits nothing and writes nothing but the probe; every
 * look ends in bounded time. Throws, exit code 75 or 130, when it is asked to stop.
 */
export async function examine(target: DoctorTarget, options: DoctorOptions): Promise<Finding[]> {
  const began = Date.now();
  const probeKey =
    options.writeProbe && target.dest !== undefined ? `.xfer-doctor-${crypto.randomUUID()}` : undefined;
  const [onHost, binary, slurm, looked, disk, clocks] = await Promise.all([
    toolFindings(target),
    binaryHere(target),
    target.executor === "slurm" ? slurmFindings(target, options.stop) : slurmSkipped,
    lookAround(target, { throughSrun: options.throughSrun, probeKey, stop: options.stop }),
    diskFindings(target),
    askClocks(target),
  ]);
  const ended = Date.now();
  const reason = stopReason(options.stop);
  if (reason) throw stoppedError(reason, "run the same command again");
  const { dest } = target;
  const isBucket = isInBucket(target);
  const probe =
    probeKey === undefined || dest === undefined ? undefined : { key: probeKey, root: dest, isBucket };
  return [
    ...onHost,
    ...slurm,
    ...stepFinding(looked, options.throughSrun),
    ...imageFinding(target.reach, looked),
    rcloneFinding(looked, target.reach.runtime),
    ...confFindings(target, looked, options.throughSrun),
    ...binary,
    ...(target.executor === "slurm" ? nodeBinaryFinding(target.agent, looked) : []),
    ...(target.executor === "slurm" ? nodeFolderFinding(target.runDir, looked) : []),
    ...disk,
    ...placeFindings(target, looked),
    ...(dest === undefined ? [] : [probeFinding(probe, looked)]),
    ...clockFindings(clocks, looked),
    ...nodeClock(looked, began, ended),
  ];
}

async function toolFindings({ executor, reach }: DoctorTarget): Promise<Finding[]> {
  const tools = await Promise.all(
    toolsOf(executor, reach.runtime).map(async ([name, word]) => {
      const isForNodes = executor === "slurm" && (name === "rclone" || name === "apptainer");
      return toolFinding(name, await ask([name, word], { timeoutMs: toolMs }), isForNodes);
    }),
  );
  if (reach.runtime !== "pyxis") return tools;
  return [...tools, pyxisFinding(await ask(["srun", "--help"], { timeoutMs: toolMs }))];
}

async function binaryHere({ runDir }: DoctorTarget): Promise<Finding[]> {
  return runDir === undefined ? [] : [binaryFinding(await tryAgent(runLayout(runDir)))];
}

const slurmChecks = ["slurm", ...fitChecks, "array-size", "account", "submission"];

const slurmSkipped = [skipped("slurm", "no Slurm is wanted: --executor local")];

async function slurmFindings(target: DoctorTarget, stop: AbortSignal): Promise<Finding[]> {
  const { request, array, runDir } = target;
  const answer = await ask(["scontrol", "show", "config"], { timeoutMs: toolMs, stop });
  const text = answer.kind === "ended" && answer.code === 0 ? answer.stdout : undefined;
  if (text === undefined) {
    const rest = slurmChecks.slice(1).map((check) => skipped(check, "not looked at: Slurm does not answer"));
    return [controllerFailure(answer), ...rest];
  }
  const told = (name: string) => new RegExp(`^${name}\\s*= (.*)$`, "m").exec(text)?.[1]?.trim();
  const [partitions, accounting] = await Promise.all([
    readPartitions(),
    readAccounting(userInfo().username, told("ClusterName")),
  ]);
  const limits = parseArrayLimits(text);
  const tasks = array.shards === undefined ? undefined : packArray(array.shards, limits);
  return [
    ok(
      "slurm",
      `${told("ClusterName") ?? "the controller"} answers, Slurm ${told("SLURM_VERSION") ?? "of a version it does not tell"}`,
    ),
    ...partitionFindings(request, partitions),
    arrayFinding(limits, array),
    ...accountFindings({ accounting, enforces: told("AccountingStorageEnforce") ?? "none" }, request, {
      tasks,
      atATime: array.atATime,
    }),
    await submissionFinding(runDir, tasks, stop),
  ];
}

function controllerFailure(answer: Answer): Finding {
  const mend = "look at the controller: scontrol ping; SLURM_CONF names the configuration";
  if (answer.kind === "missing")
    return failure("slurm", "scontrol is not on PATH", "run this on a login node of the cluster");
  if (answer.kind === "late")
    return failure("slurm", `the controller does not answer within ${answer.seconds} s`, mend);
  const said = answer.stderr.split("\n").find((line) => line.trim() !== "") ?? `exit code ${answer.code}`;
  return failure("slurm", `the controller does not answer: ${said.trim()}`, mend);
}

/** Asks Slurm what it would say of the run's array; nothing is submitted. */
async function submissionFinding(
  runDir: string | undefined,
  tasks: number | undefined,
  stop: AbortSignal,
): Promise<Finding> {
  if (runDir === undefined || !tasks) return skipped("submission", "no run is looked at: --run-dir");
  const argv = ["sbatch", "--test-only", "--export=NONE", `--array=0-${tasks - 1}`, "sbatch_array.sh"];
  return testOnlyFinding(await ask(argv, { timeoutMs: planMs, stop, cwd: runDir }));
}

function confFindings(
  { reach, executor, runDir }: DoctorTarget,
  looked: Looked,
  throughSrun: boolean,
): Finding[] {
  const { configPath, runtime } = reach;
  const path = confPathHere(configPath, runtime);
  const isElsewhere = executor === "slurm";
  if (path === undefined) return [skipped("rclone-conf", "none is named: rclone takes the image's, or none")];
  const look = lookAtConf(path, runDir);
  // rclone does without its default one where no remote is named.
  if (configPath === undefined && look.state === "missing") {
    return [skipped("rclone-conf", `${path}: no such file, and none is named (--rclone-config)`)];
  }
  const ofNode = isElsewhere ? nodeConfFinding(configPath, looked) : [];
  const isTold = throughSrun && ofNode.some(({ state }) => state !== "skipped");
  const here = confFinding("rclone-conf", look, isElsewhere);
  // What a compute node sees counts, where one has looked.
  return isTold && here.state === "failure" && look.state === "missing"
    ? [skipped("rclone-conf", `${here.text} here`), ...ofNode]
    : [here, ...ofNode];
}

/** Whether the destination is, as far as is known, in the bucket of an object store. */
function isInBucket({ dest, reach }: DoctorTarget): boolean {
  const context = remoteContext(reach.configPath, reach.runtime);
  return dest !== undefined && bucketOf(dest, context) !== undefined;
}

function placeFindings(target: DoctorTarget, looked: Looked): Finding[] {
  const { source, dest, createBucket } = target;
  const named = { createBucket, isBucket: isInBucket(target) };
  return [
    source === undefined ? skipped("source", "none is named: --source") : sourceFinding(source, looked),
    dest === undefined
      ? skipped("destination", "none is named: --dest")
      : destFinding({ ...named, root: dest }, looked),
  ];
}

async function diskFindings({ runDir, array, objects }: DoctorTarget): Promise<Finding[]> {
  if (runDir === undefined) return [skipped("disk", "no run is looked at: --run-dir")];
  return roomFindings(runDir, await readRoom(runDir), needsOfRun(array.shards ?? 0, objects ?? 0));
}

/** Asks the S3 endpoints of the run for their time. */
async function askClocks({ source, dest, reach }: DoctorTarget): Promise<AskedClock[]> {
  const roots = [source, dest].filter((root) => root !== undefined);
  const endpoints = endpointsOf(roots, remoteContext(reach.configPath, reach.runtime));
  return await Promise.all(
    endpoints.map(async (endpoint) => ({ endpoint, look: await lookAtClock(endpoint) })),
  );
}

interface AskedClock {
  endpoint: Endpoint;
  look: ClockLook;
}

function clockFindings(asked: readonly AskedClock[], { facts, where }: Looked): Finding[] {
  if (asked.length === 0) return [skipped("clock", "no S3 endpoint is known here")];
  const isTold = where !== "here" && facts !== undefined && !("problem" in facts);
  const isReached = isTold && isAnswered(facts.source) && isAnswered(facts.dest);
  return asked.map(({ endpoint, look }) => clockFinding(endpoint, look, isReached));
}

const isAnswered = (place: unknown): boolean => typeof place === "string";

/** The clock of a compute node, which signs the requests of its tasks. */
function nodeClock({ facts, where }: Looked, began: number, ended: number): Finding[] {
  if (facts === undefined || "problem" in facts || facts.date === undefined) return [];
  const [early, late] = [began / 1000 - 1 - facts.date, facts.date - ended / 1000];
  return [
    skewFinding(
      "clock-node",
      early > 0 ? early : late > 0 ? -late : 0,
      `this host and the node ${where.replace(/^on /, "")}`,
    ),
  ];
}
