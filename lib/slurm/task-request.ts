import { sbatchTable } from "./option-table.ts";
import { type ReadOptions, readOptions, readOptionText, type SlurmOption } from "./option-words.ts";
import { memoryMbOf, parseTimeLimit } from "./values.ts";

/** What a task of an array asks of Slurm; undefined where nobody says, or not in a form that is understood. */
export interface TaskRequest {
  /** One of these; none for the default partition. */
  partitions: string[];
  /** Seconds; Infinity for none. */
  timeLimit: number | undefined;
  /** MiB; 0 for all of a node's. */
  memoryMb: number | undefined;
  cpus: number | undefined;
  account: string | undefined;
  qos: string | undefined;
  /** Whether the job may go by rules of its own, which partitions do not tell: another cluster's, or a reservation's. */
  isElsewhere: boolean;
  /** The options that say where a job may run, as words that srun has too. */
  placing: string[];
}

/** Variables of the submitter's that win over a script's own lines: sbatch(1), INPUT ENVIRONMENT VARIABLES. */
const variables: ReadonlyMap<string, string> = new Map([
  ["SBATCH_PARTITION", "partition"],
  ["SBATCH_TIMELIMIT", "time"],
  ["SBATCH_MEM_PER_NODE", "mem"],
  ["SBATCH_ACCOUNT", "account"],
  ["SBATCH_QOS", "qos"],
  ["SBATCH_RESERVATION", "reservation"],
  ["SBATCH_CONSTRAINT", "constraint"],
  ["SLURM_CLUSTERS", "clusters"],
  ["SBATCH_CLUSTERS", "clusters"],
]);

const placingNames = ["partition", "account", "qos", "reservation", "constraint", "clusters", "licenses"];

type Environment = Readonly<Record<string, string | undefined>>;

/** What the tasks of a batch script ask for, by its #SBATCH lines and the environment that it is submitted in. */
export function requestOfScript(script: string, env: Environment): TaskRequest {
  const lines = script.split("\n").filter((line) => line.startsWith("#SBATCH"));
  return requestOf(
    lines.flatMap((line) => optionsIn(() => readOptionText(line, sbatchTable, "#SBATCH"))),
    env,
  );
}

/** What a task asks for by these words for sbatch; the last of an option counts. */
export function requestOfWords(words: readonly string[], env: Environment): TaskRequest {
  return requestOf(
    optionsIn(() => readOptions(words, sbatchTable)),
    env,
  );
}

/** Options that can be read; sbatch itself tells of the others. */
function optionsIn(read: () => ReadOptions): SlurmOption[] {
  try {
    const found = read();
    return "problem" in found ? [] : found.options;
  } catch {
    return [];
  }
}

function requestOf(said: readonly SlurmOption[], env: Environment): TaskRequest {
  const own = [...variables].flatMap(([variable, name]): SlurmOption[] => {
    const value = env[variable];
    return value ? [{ name, value, spelling: variable, known: true }] : [];
  });
  const options = [...said, ...own];
  const last = (name: string) => options.findLast((one) => one.name === name)?.value;
  const numberOf = (name: string) => {
    const value = last(name);
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const [time, mem] = [last("time"), last("mem")];
  return {
    partitions: last("partition")?.split(",").filter(Boolean) ?? [],
    timeLimit: time === undefined ? undefined : parseTimeLimit(time),
    memoryMb: mem === undefined ? undefined : memoryMbOf(mem),
    cpus: numberOf("cpus-per-task"),
    ...{ account: last("account"), qos: last("qos") },
    isElsewhere: last("clusters") !== undefined || last("reservation") !== undefined,
    placing: placingNames.flatMap((name) => {
      const value = last(name);
      return value === undefined ? [] : [`--${name}=${value}`];
    }),
  };
}
