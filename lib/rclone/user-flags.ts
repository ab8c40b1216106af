import { invalidInput } from "../system/errors.ts";
import {
  dependsOnDestination,
  isDisplayFlag,
  refused,
  refusedInListings,
  rootedFilters,
} from "./flag-rules.ts";
import { type FlagCommand, isGeneralFlag } from "./flag-table.ts";
import { type Environment, filterVariables, flagsOfEnvironment, isVariableOf } from "./flag-variables.ts";
import { type GivenFlag, parseFlagWords } from "./flag-words.ts";
import { nestedProblem } from "./root-check.ts";
import { flagSecret } from "./secrets.ts";
import { parseSize } from "./sizes.ts";

/** The user's --rclone-flags, without those that the agent takes over. */
export interface UserFlags {
  /** Words for every rclone copy, which come last and win. */
  argv: string[];
  /** The value of each flag by its long name; of a flag that is given twice the last one counts. */
  given: ReadonlyMap<string, string>;
  /** How many passes an attempt makes over objects that are not proven: the user's --retries, 1 or more. */
  passes: number;
  /** Seconds before the second pass, which double from pass to pass: the user's --retries-sleep. */
  passWaitSeconds: number;
  /** The user's --transfers, or rclone's default. It is not in `argv`, since throttling lowers it. */
  transfers: number;
  /** The size from which rclone copies one object in several streams, when the user says it; 0 for never. */
  multiThreadCutoffBytes: number | undefined;
  /** Whether rclone must compare with the destination, since a flag or variable makes it matter what is there. */
  comparesDestination: boolean;
  /** These flags and variables, as the user wrote them. */
  comparesFor: string[];
  /** Flags that rclone does not get, since they change only what it shows, as the user wrote them. */
  notShown: string[];
}

/** The user's flags of a listing. */
export interface ListingFlags {
  /** Words for rclone lsjson, which come last and win. */
  argv: string[];
  /** Flags that rclone does not get, since they change only what it shows, as the user wrote them. */
  notShown: string[];
}

/** rclone's own default for --retries: https://rclone.org/docs/#retries-int */
const passesDefault = 3;
/** https://rclone.org/docs/#transfers-int */
const transfersDefault = 4;

/** The first flag or variable of a listing whose meaning depends on the listed root. */
export function rootedFilter(words: readonly string[], env: Environment): string | undefined {
  const flag = parseListingFlags(words).flags.find(({ name }) => rootedFilters.has(name));
  return flag?.spelling ?? filterVariables(env).find((name) => isVariableOf(name, rootedFilters));
}

/** Sorts the user's flags of a listing. Throws invalid input, with the reason, for a flag that is refused in listings. */
export function sortListingFlags(words: readonly string[]): ListingFlags {
  const { flags, notShown } = parseListingFlags(words);
  return { argv: flags.flatMap((flag) => flag.words), notShown };
}

/** A line that names the flags which rclone does not get, since they change only what it shows; undefined for none. */
export function notShownText(where: string, flags: readonly string[]): string | undefined {
  if (flags.length === 0) return undefined;
  return `${where}: ${flags.join(", ")} not given to rclone: xfer reads its log and statistics, and shows the progress`;
}

function parseListingFlags(words: readonly string[]): Allowed {
  return parseAllowed(words, "lsjson", "--extra-lsjson-flags", refusedInListings);
}

interface Allowed {
  flags: GivenFlag[];
  notShown: string[];
}

/** Parses words into flags, without those that only show something, and without refused booleans that are false. */
function parseAllowed(
  words: readonly string[],
  command: FlagCommand,
  where: string,
  refusals: ReadonlyMap<string, string>,
): Allowed {
  const flags: GivenFlag[] = [];
  const notShown = new Set<string>();
  for (const flag of parseFlagWords(words, command, where)) {
    const { name, kind, value, spelling } = flag;
    const isOff = kind === "boolean" && value === "false";
    if (isDisplayFlag(name)) {
      if (!isOff) notShown.add(spelling);
      continue;
    }
    const reason =
      refusals.get(name) ??
      flagSecret(command, name, value) ??
      (value === undefined || isGeneralFlag(command, name) ? undefined : nestedProblem(value));
    if (reason && !isOff) throw invalidInput(`${where}: ${spelling} cannot be used here: ${reason}`);
    if (!reason) flags.push(flag);
  }
  return { flags, notShown: [...notShown] };
}

/**
 * Sorts the user's rclone flags into those for rclone and those that the agent takes over. The variables of `env` count
 * where no flag does. Throws invalid input, with the reason, for a flag that would break the account of every object.
 */
export function sortUserFlags(words: readonly string[], env: Environment = {}): UserFlags {
  const flags: UserFlags = {
    argv: [],
    given: new Map(),
    passes: passesDefault,
    passWaitSeconds: 1,
    transfers: transfersDefault,
    multiThreadCutoffBytes: undefined,
    comparesDestination: false,
    comparesFor: [],
    notShown: [],
  };
  const last = new Map<string, GivenFlag>();
  const given = parseAllowed(words, "copy", "--rclone-flags", refused);
  flags.notShown = given.notShown;
  for (const flag of [...flagsOfEnvironment(env), ...given.flags]) {
    const { name, value = "" } = flag;
    last.set(name, flag);
    const kept = takers.get(name)?.(flags, value, flag.spelling) ?? true;
    if (kept) flags.argv.push(...flag.words);
  }
  flags.given = new Map([...last].map(([name, { value }]) => [name, value ?? "true"]));
  flags.comparesFor = [...last.values()].filter(dependsOnDestination).map(({ spelling }) => spelling);
  flags.comparesDestination = flags.comparesFor.length > 0;
  return flags;
}

/** Takes a flag's value over from rclone; returns true to hand the flag to rclone as well. */
type Taker = (flags: UserFlags, value: string, spelling: string) => boolean;

const takers: ReadonlyMap<string, Taker> = new Map<string, Taker>([
  [
    "retries",
    (flags, value, spelling) => {
      flags.passes = Math.max(1, parseCount(spelling, value));
      return false;
    },
  ],
  [
    "retries-sleep",
    (flags, value, spelling) => {
      flags.passWaitSeconds = parseSeconds(spelling, value);
      return false;
    },
  ],
  [
    "transfers",
    (flags, value, spelling) => {
      flags.transfers = Math.max(1, parseCount(spelling, value));
      return false;
    },
  ],
  [
    "multi-thread-cutoff",
    (flags, value) => {
      flags.multiThreadCutoffBytes = parseSize(value);
      return true;
    },
  ],
  [
    "multi-thread-streams",
    (flags, value, spelling) => {
      if (parseCount(spelling, value) <= 1) flags.multiThreadCutoffBytes = 0;
      return true;
    },
  ],
]);

function named(spelling: string): string {
  return spelling.startsWith("-") ? `--rclone-flags: ${spelling}` : spelling;
}

function parseCount(name: string, value: string): number {
  if (!/^\d{1,4}$/.test(value)) {
    throw invalidInput(`${named(name)} must be a whole number from 0 to 9999, not ${value}`);
  }
  return Number(value);
}

/** Reads a duration as rclone does: "10", "500ms", "1m30s" (https://rclone.org/docs/#time-options). */
function parseSeconds(name: string, value: string): number {
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value);
  const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== value) {
    throw invalidInput(`${named(name)} must be a duration such as 10s, not ${value}`);
  }
  return parts.reduce((sum, [, number, unit = "s"]) => sum + Number(number) * (units[unit] ?? 1), 0);
}
