import { runProgram } from "../system/process.ts";
import { memoryMbOf, parseTimeLimit } from "./values.ts";

/** Limits of an association (a user in an account) or of a QOS; undefined where there is none. */
export interface AccountingLimits {
  maxJobs: number | undefined;
  maxSubmit: number | undefined;
  /** Seconds. */
  maxWall: number | undefined;
  /** Of one job. */
  maxCpus: number | undefined;
  maxMemoryMb: number | undefined;
}

/** An account of a user's on a cluster. */
export interface Association extends AccountingLimits {
  account: string;
  isDefault: boolean;
  /** The one partition that it is for; empty for all. */
  partition: string;
  qos: string[];
  defaultQos: string;
}

/** What Slurm's accounting allows a user. */
export interface Accounting {
  associations: Association[];
  qos: Map<string, AccountingLimits>;
}

const userFields = [
  ...["Cluster", "DefaultAccount", "Account", "Partition", "QOS", "DefaultQOS"],
  ...["MaxJobs", "MaxSubmit", "MaxWall", "MaxTRES"],
];

const qosFields = ["Name", "MaxJobsPU", "MaxSubmitPU", "MaxWall", "MaxTRES"];

const timeoutMs = 15_000;

/**
 * What the accounting allows a user on this cluster. Undefined where there is no accounting, or it does not answer within
 * 15 s.
 */
export async function readAccounting(
  user: string,
  cluster: string | undefined,
): Promise<Accounting | undefined> {
  const ask = (...words: string[]) => runProgram(["sacctmgr", "-nP", "show", ...words], { timeoutMs });
  try {
    const [users, qos] = await Promise.all([
      ask("user", `name=${user}`, "withassoc", `format=${userFields.join(",")}`),
      ask("qos", `format=${qosFields.join(",")}`),
    ]);
    if (users.code !== 0 || qos.code !== 0) return undefined;
    return { associations: parseAssociations(users.stdout, cluster), qos: parseQos(qos.stdout) };
  } catch {
    return undefined;
  }
}

/** Reads what sacctmgr prints of a user, of one cluster where that is known. */
export function parseAssociations(text: string, cluster: string | undefined): Association[] {
  return rowsOf(text, userFields.length).flatMap((row) => {
    const [at, standard, account = "", partition = "", qos = "", defaultQos = "", ...limits] = row;
    if (account === "" || (cluster !== undefined && at !== cluster)) return [];
    return [
      {
        ...{ account, isDefault: account === standard, partition, defaultQos },
        qos: qos.split(",").filter(Boolean),
        ...limitsOf(limits),
      },
    ];
  });
}

/** Reads what sacctmgr prints of all QOS. */
export function parseQos(text: string): Map<string, AccountingLimits> {
  return new Map(
    rowsOf(text, qosFields.length).map(([name = "", ...limits]) => [name, limitsOf(limits)] as const),
  );
}

const rowsOf = (text: string, width: number): string[][] =>
  text
    .split("\n")
    .map((line) => line.split("|"))
    .filter((row) => row.length === width);

function limitsOf([jobs, submit, wall, tres = ""]: readonly string[]): AccountingLimits {
  const number = (word: string | undefined) => (/^\d+$/.test(word ?? "") ? Number(word) : undefined);
  const amount = (name: string) => new RegExp(`(?:^|,)${name}=([^,]+)`).exec(tres)?.[1];
  return {
    ...{ maxJobs: number(jobs), maxSubmit: number(submit) },
    maxWall: wall ? parseTimeLimit(wall) : undefined,
    maxCpus: number(amount("cpu")),
    maxMemoryMb: memoryOf(amount("mem")),
  };
}

/** MiB of "8G", "7.50G" or, in MiB, "500". */
function memoryOf(text: string | undefined): number | undefined {
  const [, whole, part = "", unit = "M"] = /^(\d+)(\.\d+)?([KMGT])?$/.exec(text ?? "") ?? [];
  const one = memoryMbOf(`1${unit}`);
  return whole === undefined || one === undefined ? undefined : Math.ceil(Number(whole + part) * one);
}
