import { quoteWords } from "../../lib/system/shell-words.ts";

/** A run that is only told, step by step. */
export interface PlannedRun {
  runDir: string;
  /** Undefined where the run directory has a manifest already. */
  listed: { root: string; source: string } | undefined;
  delta: boolean;
  numShards: string;
  executor: "slurm" | "local";
  submits: boolean;
  watches: boolean;
  verifies: boolean;
  verifiesInQueue: boolean;
}

/** What xfer run would do, a step a line. */
export function planText(run: PlannedRun): string {
  const { runDir, listed, executor } = run;
  const manifest = `${runDir}/manifest.jsonl`;
  const steps = [
    listed === undefined
      ? `take ${manifest}, which is there: the source is not listed again`
      : `list ${listed.root}${listed.root === listed.source ? "" : ` in place of ${listed.source}`} into ${manifest}`,
    ...(run.delta ? [`list the destination, and plan what it lacks: ${runDir}/delta.jsonl`] : []),
    `cut ${run.numShards} shards: ${runDir}/shards/`,
    `write ${["config.resolved.json", "sbatch_array.sh", "submit.sh", "worker.sh"].map((name) => `${runDir}/${name}`).join(", ")}`,
    ...(executor === "local" ? ["run the agents on this machine"] : []),
    ...(run.submits ? [`submit a job array: sbatch ${runDir}/sbatch_array.sh`] : []),
    ...(run.verifiesInQueue
      ? ["submit the jobs that compare the destination when the array has ended, and write verify.json"]
      : []),
    ...(run.watches ? ["wait for the array"] : []),
    ...(run.verifies && (executor === "local" || run.watches)
      ? ["list the destination, and compare it with the manifest"]
      : []),
  ];
  return `nothing is done; this is the plan:\n${steps.map((step, i) => `${i + 1}. ${step}\n`).join("")}`;
}

/** A command that would be handed over to a cluster. */
export interface PlannedHandOver {
  cluster: string;
  host: string;
  runRoot: string;
  words: readonly string[];
  /** The listing at another cluster, before it. */
  build: { cluster: string; host: string; runRoot: string; words: readonly string[] } | undefined;
  runDir: string;
}

/** What handing a command over would do, a step a line. */
export function handOverText({ build, ...there }: PlannedHandOver): string {
  const open = ({ cluster, host, runRoot }: Omit<PlannedHandOver, "build" | "words" | "runDir">) => [
    `connect to ${cluster} (${host})`,
    `put xfer there where it is not yet: ${runRoot}/.xfer/bin`,
  ];
  const steps = [
    ...open(there),
    ...(build === undefined
      ? []
      : [
          ...open(build),
          `at ${build.cluster}, in ${build.runRoot}: ${quoteWords(["xfer", ...build.words])}`,
          `fetch the manifest to ${there.runDir}, and send it to ${there.cluster}:${there.runRoot}/${there.runDir}`,
        ]),
    `at ${there.cluster}, in ${there.runRoot}: ${quoteWords(["xfer", ...there.words])}`,
  ];
  return `nothing is done; this is the plan:\n${steps.map((step, i) => `${i + 1}. ${step}\n`).join("")}`;
}
