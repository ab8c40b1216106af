import { invalidInput } from "../system/errors.ts";
import { sbatchTable, srunTable } from "./option-table.ts";
import {
  optionWord,
  type ReadOptions,
  readOptions,
  readOptionText,
  type SlurmOption,
} from "./option-words.ts";
import { memoryProblem, partitionProblem, stopLeadSecondsMax, timeLimitProblem } from "./values.ts";

/** Options that the user may not set for the array, and why. */
const owned: ReadonlyMap<string, string> = new Map(
  Object.entries({
    array: "the array is xfer's: --array-concurrency says how many of its tasks run at a time",
    wrap: "the script is xfer's",
    "test-only": "nothing would be submitted",
    help: "nothing would be submitted",
    usage: "nothing would be submitted",
    version: "nothing would be submitted",
    wait: "the submission would last as long as the array: give it to submit.sh",
    "no-requeue": "a task requeues itself at its time limit and after a failure that can pass",
    "cpus-per-task": "the agents must know it too: use xfer's own --cpus-per-task",
    "mem-per-cpu": "sbatch takes it or --mem, not both: use xfer's own --mem",
    "mem-per-gpu": "sbatch takes it or --mem, not both: use xfer's own --mem",
  }),
);

type Check = (value: string) => string | undefined;

function form(pattern: RegExp, what: string): Check {
  return (value) => (pattern.test(value) ? undefined : `${JSON.stringify(value)} is no ${what}`);
}

const whole = form(/^0*[1-9]\d{0,9}$/, "whole number from 1");
const gpus = form(/^(?:[\w.-]+:)?\d+(?:,(?:[\w.-]+:)?\d+)*$/, "number of GPUs: write N or TYPE:N");
const dependency =
  "(?:after(?:any|burstbuffer|corr|notok|ok)?(?::\\d+(?:_(?:\\d+|\\*))?(?:\\+\\d+)?)+|expand:\\d+|singleton)";

/** Checks of the values that sbatch itself checks. */
const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["time", timeLimitProblem],
  ["time-min", timeLimitProblem],
  ["mem", memoryProblem],
  ["tmp", memoryProblem],
  ["partition", partitionProblem],
  ["nodes", nodesProblem],
  ["signal", signalProblem],
  ...[
    ...["ntasks", "ntasks-per-node", "ntasks-per-core", "ntasks-per-socket", "ntasks-per-gpu", "mincpus"],
    ...["cpus-per-gpu", "sockets-per-node", "cores-per-socket", "threads-per-core"],
  ].map((name) => [name, whole] as const),
  ...["gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task"].map((name) => [name, gpus] as const),
  ["core-spec", form(/^\d{1,9}$/, "whole number")],
  ["thread-spec", form(/^\d{1,9}$/, "whole number")],
  ["switches", form(/^\d{1,9}(?:@.+)?$/, "number of switches: write N or N@TIME")],
  ["nice", form(/^[+-]?\d{1,10}$/, "whole number")],
  ["dependency", form(new RegExp(`^${dependency}(?:[,?]${dependency})*$`, "i"), "dependency: see sbatch(1)")],
  ["exclusive", form(/^(?:user|mcs|topo)$/i, "kind of --exclusive: write user, mcs, topo, or nothing")],
  ["open-mode", form(/^(?:a|append|t|truncate)$/i, "mode: write append or truncate")],
  ["kill-on-invalid-dep", form(/^(?:yes|no)$/i, "answer: write yes or no")],
  ["wait-all-nodes", form(/^[01]$/, "answer: write 0 or 1")],
  [
    "mail-type",
    form(
      /(?:^|,)(?:none|begin|end|fail|requeue|all|invalid_depend|stage_out|time_limit(?:_\d+)?|array_tasks)(?:,|$)/i,
      "kind of mail: write NONE, BEGIN, END, FAIL, REQUEUE, ALL or another of sbatch(1)",
    ),
  ],
  ["hint", form(/^(?:compute_bound|memory_bound|(?:no)?multithread)$/i, "hint: see sbatch(1)")],
]);

function nodesProblem(value: string): string | undefined {
  const [, least, most] = /^(\d+[km]?)(?:-(\d+[km]?))?$/i.exec(value) ?? [];
  // Newer releases take a list of numbers too.
  const isList = /^\d+(?:-\d+)?(?:[:,]\d+(?:-\d+)?)+$/.test(value);
  const isRange = least !== undefined && Number(least) !== 0 && !(Number(most) < Number(least));
  return isRange || isList ? undefined : `${JSON.stringify(value)} is no number of nodes: write N or MIN-MAX`;
}

function signalProblem(value: string): string | undefined {
  const [, seconds] = /^(?:B|BR|RB):(?:(?:SIG)?USR1|10)@(\d{1,9})$/i.exec(value) ?? [];
  if (seconds !== undefined && Number(seconds) <= stopLeadSecondsMax) return undefined;
  return `with it a task is told to stop before its time limit: use xfer's own --stop-lead, or write B:USR1@SECONDS`;
}

/** The problem of an option of the array; undefined when there is none that can be found without a cluster. */
function sbatchOptionProblem({ name, value, spelling }: SlurmOption): string | undefined {
  const reason = owned.get(name);
  if (reason) return `${spelling} cannot be used here: ${reason}`;
  const problem = value === undefined ? undefined : checks.get(name)?.(value);
  return problem && `${spelling}: ${problem}`;
}

/**
 * The options of --sbatch-extras, each as a word. The text may be lines with or without `#SBATCH`, or words alone. Throws
 * invalid input for options that sbatch would refuse, or that would break the run. Options that the table does not have are
 * let pass: see `unknownOptions`.
 */
export function sbatchExtras(text: string): string[] {
  const options = optionsOf(readOptionText(text, sbatchTable, "--sbatch-extras"), "--sbatch-extras");
  for (const option of options) {
    const problem = sbatchOptionProblem(option);
    if (problem) throw invalidInput(`--sbatch-extras: ${problem}`);
  }
  return options.map(optionWord);
}

/** The names of options that no release of Slurm has. A plugin of the site may have them. */
export function unknownOptions(words: readonly string[]): string[] {
  const read = readOptions(words, sbatchTable);
  return "problem" in read ? [] : read.options.filter(({ known }) => !known).map(({ name }) => name);
}

/** The names of all options in the output of `sbatch --help`, including those of plugins. */
export function optionsInHelp(help: string): Set<string> {
  return new Set([...help.matchAll(/^\s+(?:-\w, +| *-\w +)?--([\w-]+)/gm)].map(([, name = ""]) => name));
}

/** Options of srun that the user may not set, and why. */
const ownedOfSrun: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "container-image": "use --rclone-image",
    help: "nothing would be run",
    usage: "nothing would be run",
    version: "nothing would be run",
    "multi-prog": "rclone is the one program",
  }),
);

/**
 * The words of --pyxis-extra for srun, each an option with its value. rclone follows them on the command line, and srun
 * would run a word that is no option in its place. Throws invalid input for a word that is no option.
 */
export function srunExtras(text: string): string[] {
  const options = optionsOf(readOptionText(text, srunTable, "--pyxis-extra"), "--pyxis-extra");
  for (const { name, spelling } of options) {
    const reason = ownedOfSrun.get(name);
    if (reason) throw invalidInput(`--pyxis-extra: ${spelling} cannot be used here: ${reason}`);
  }
  return options.map(optionWord);
}

function optionsOf(read: ReadOptions, flag: string): SlurmOption[] {
  if ("problem" in read) throw invalidInput(`${flag}: ${read.problem}`);
  return read.options;
}
