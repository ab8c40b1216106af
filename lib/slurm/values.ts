/**
 * Seconds of a time limit (sbatch(1), --time), rounded up to minutes as Slurm does. Undefined for a text that is no limit.
 *
 * | text | meaning |
 * |---|---|
 * | `90`, `90:30` | minutes, minutes:seconds |
 * | `24:00:00` | hours:minutes:seconds |
 * | `2-12`, `2-12:30`, `2-12:30:00` | days-hours, and so on |
 * | `UNLIMITED`, `INFINITE`, `-1`, `0` | no limit: Infinity |
 */
export function parseTimeLimit(text: string): number | undefined {
  if (/^(?:unlimited|infinite|-1)$/i.test(text)) return Number.POSITIVE_INFINITY;
  const [, days, parts] = /^(?:(\d{1,6})-)?(\d{1,9}(?::\d{1,9}){0,2})$/.exec(text) ?? [];
  if (parts === undefined) return undefined;
  const numbers = parts.split(":").map(Number);
  // Hours follow days. Without days, one number is minutes and two are minutes and seconds.
  const isMinutes = days === undefined && numbers.length < 3;
  const [hours = 0, minutes = 0, seconds = 0] = isMinutes ? [0, ...numbers] : numbers;
  const total = ((Number(days ?? 0) * 24 + hours) * 60 + minutes) * 60 + seconds;
  return total === 0 ? Number.POSITIVE_INFINITY : Math.ceil(total / 60) * 60;
}

/** Why a text is no time limit, or undefined when it is one. */
export function timeLimitProblem(text: string): string | undefined {
  if (parseTimeLimit(text) !== undefined) return undefined;
  return (
    `${JSON.stringify(text)} is no time limit: write minutes, minutes:seconds, hours:minutes:seconds, days-hours, ` +
    "days-hours:minutes, days-hours:minutes:seconds, or UNLIMITED"
  );
}

/** Why a text is no amount of memory (sbatch(1), --mem), or undefined when it is one. */
export function memoryProblem(text: string): string | undefined {
  if (/^\d{1,15}(?:[kmgt]b?)?$/i.test(text)) return undefined;
  return `${JSON.stringify(text)} is no amount of memory: write a whole number with K, M (the default), G or T, or 0 for all of a node's`;
}

/** Why a text is no job's id, or undefined when it is one. */
export function jobIdProblem(text: string): string | undefined {
  return /^\d{1,10}$/.test(text)
    ? undefined
    : `${JSON.stringify(text)} is no job id: write the number that sbatch gave`;
}

/** MiB of an amount of memory, rounded up; 0 is all of a node's. Undefined for a text that is no amount. */
export function memoryMbOf(text: string): number | undefined {
  const [, digits, unit = "m"] = /^(\d{1,15})(?:([kmgt])b?)?$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const exponent = "kmgt".indexOf(unit.toLowerCase()) - 1;
  return Math.ceil(Number(digits) * 1024 ** exponent);
}

/** Why a text cannot be a job's name, or undefined when it can. */
export function jobNameProblem(text: string): string | undefined {
  return hasControl(text) ? "a control character cannot be in an sbatch option" : undefined;
}

/** Why a text does not name partitions, or undefined when it does. */
export function partitionProblem(text: string): string | undefined {
  if (!hasControl(text) && /^[^\s,]+(?:,[^\s,]+)*$/.test(text)) return undefined;
  return `${JSON.stringify(text)} names no partition: write a name, or names joined by commas`;
}

/** Whether a text has a control character, which no line of a batch script can hold. */
function hasControl(text: string): boolean {
  return /[\x00-\x1f\x7f\u0085\u2028\u2029]/.test(text);
}

/** Slurm holds the time before the limit in 16 bits (sbatch(1), --signal). */
export const stopLeadSecondsMax = 65_535;

/** The default of --stop-lead: how long before the time limit a task is told to stop. */
export const stopLeadSecondsDefault = 120;

/**
 * How many seconds before its time limit a task is told to stop, or why the user's number is wrong:
 *
 * | asked for | time limit | result |
 * |---|---|---|
 * | nothing | none, or over four minutes | 120 |
 * | nothing | shorter | half of the limit: a task that is told at its start would copy nothing |
 * | less than the limit | any | the number that was asked for |
 * | the limit or more | any | a problem |
 */
export function stopLead(
  asked: number | undefined,
  timeLimit: string,
): { seconds: number } | { problem: string } {
  const limit = parseTimeLimit(timeLimit) ?? Number.POSITIVE_INFINITY;
  if (asked === undefined) return { seconds: Math.min(stopLeadSecondsDefault, limit / 2) };
  if (asked < limit) return { seconds: asked };
  return {
    problem: `${asked} s is not less than the time limit ${timeLimit} (${limit} s): each task would be told to stop at its start`,
  };
}
