import type { CompareMode } from "../../lib/compare/delta-rule.ts";
import { clusterDefaults, minShardSecondsHere } from "../../lib/estimate/cost-model.ts";
import type { RuntimeName } from "../../lib/rclone/runtime.ts";
import { runLayout } from "../../lib/run/layout.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import type { Here } from "../flags/here.ts";
import { type RenderedFlags, renderOptionsOf } from "../flags/render.ts";
import type { PlannedRun } from "../view/plan.ts";
import { type Executor, numShardsDefault, type RunInput } from "./flags.ts";

/** What xfer run is to do. */
export interface RunOptions {
  readonly runDir: string;
  readonly manifest: string;
  readonly executor: Executor;
  readonly runtime: RuntimeName;
  /** The roots, as they were given. */
  readonly source: string | undefined;
  readonly dest: string | undefined;
  readonly numShards: number | "auto" | undefined;
  readonly numShardsDefault: number | "auto";
  readonly minShardSeconds: number | undefined;
  readonly strategy: RunInput["strategy"];
  readonly compare: CompareMode;
  readonly delta: boolean;
  readonly submits: boolean;
  /** Whether it is submitted although a check says that it cannot work. */
  readonly force: boolean;
  /** Whether the array is waited for. */
  readonly watches: boolean;
  /** Whether the destination is to be compared when all is copied. */
  readonly verifies: boolean;
  /** Whether jobs that compare it are submitted with the array. */
  readonly verifiesInQueue: boolean;
  readonly imageCheck: boolean;
  readonly allowsUntransferable: boolean;
  readonly listParallel: number;
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly render: RenderedFlags & { readonly runDir: string; readonly now: Date };
}

/**
 * What the flags ask for. Throws invalid input for flags that contradict each other:
 *
 * | executor | runtime | shards | at a time | agents' binary | verifies | refused |
 * |---|---|---|---|---|---|---|
 * | slurm | pyxis | 256 | 64 | a copy in the run directory | later, by xfer verify; at the end with --watch; in the queue with --submit --verify | --verify without --submit or --watch |
 * | local | host | auto | a CPU each | this one, where it is | at the end | --submit, --watch |
 */
export function optionsOf(input: RunInput, here: Here): RunOptions {
  const { executor, verify, submit } = input;
  const local = executor === "local";
  if (!local && verify && !input.watch && !submit)
    throw invalidInput(
      "--verify is for --executor local, --submit or --watch: run xfer verify when the array has ended",
    );
  if (local && input.watch) throw invalidInput("--watch is for --executor slurm: local waits by itself");
  if (local && submit) throw invalidInput("--submit is for --executor slurm: local runs the agents at once");
  const runDir = input["run-dir"];
  const runtime = input.runtime ?? (local ? "host" : "pyxis");
  const agentPath = input["agent-path"] ?? (local ? here.binary : undefined);
  const render = renderOptionsOf(
    { ...input, "agent-path": agentPath },
    {
      runtime,
      arrayConcurrency: local ? here.cpus : clusterDefaults.arrayConcurrency,
      binary: here.binary,
    },
  );
  return {
    runDir,
    manifest: runLayout(runDir).manifest,
    executor,
    runtime,
    source: input.source,
    dest: input.dest,
    numShards: input["num-shards"],
    numShardsDefault: numShardsDefault[executor],
    minShardSeconds: local ? minShardSecondsHere : undefined,
    strategy: input.strategy,
    compare: input.compare,
    delta: input.delta,
    submits: submit,
    force: input.force,
    watches: input.watch,
    verifies: verify !== false,
    verifiesInQueue: submit && verify === true,
    imageCheck: input["image-check"],
    allowsUntransferable: input["allow-untransferable"],
    listParallel: input["list-parallel"],
    json: input.json,
    dryRun: input["dry-run"],
    render: { ...render, runDir, now: here.now },
  };
}

/** The steps of a run, for --dry-run. Throws invalid input when there is neither a manifest nor what to list. */
export function plannedRun(
  options: RunOptions,
  ends: {
    source: string | undefined;
    dest: string | undefined;
    list: string | undefined;
    listsHere: boolean;
  },
): PlannedRun {
  const { source = "", list } = ends;
  if (ends.listsHere && !(ends.source && ends.dest)) {
    throw invalidInput(`--source and --dest are needed: there is no ${options.manifest} yet`);
  }
  return {
    runDir: options.runDir,
    listed: ends.listsHere ? { root: list ?? source, source } : undefined,
    delta: options.delta,
    numShards: String(options.numShards ?? options.numShardsDefault),
    executor: options.executor,
    submits: options.submits,
    watches: options.watches,
    verifies: options.verifies,
    verifiesInQueue: options.verifiesInQueue,
  };
}
