import { invalidInput } from "../../lib/system/errors.ts";
import { flag } from "./make.ts";
import { defaultRunDir } from "./run-dir.ts";

/** The run directory of a command that looks at a run or steers it. */
export const lookedAtRunDirFlag = flag.folder({
  default: defaultRunDir,
  group: "what",
  common: true,
  description: "the run directory",
});

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of "90", "90s", "15m", "2h" or "3d"; undefined for any other text. */
export function parseSeconds(text: string): number | undefined {
  const [, digits, unit = "s"] = /^(\d{1,9})([smhd]?)$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (unitSeconds[unit || "s"] ?? 1);
}

/** The bounds of a limit of tasks that is found by itself. Throws invalid input when there is no number between them. */
export function limitBounds(
  min: number | undefined,
  max: number | undefined,
): { min: number; max: number | undefined } {
  if (min !== undefined && max !== undefined && min > max) {
    throw invalidInput(`--min ${min} is more than --max ${max}`);
  }
  return { min: min ?? 1, max };
}
