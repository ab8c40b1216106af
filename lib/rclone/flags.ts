import { invalidInput } from "../system/errors.ts";
import { isSecretOption } from "./remote.ts";

/** The user's --rclone-flags after what the agent takes over has been taken out. */
export interface UserFlags {
  /** Handed to every rclone copy, last, so that they win. */
  argv: string[];
  /** How many passes an attempt makes over what is not proven: the user's --retries, 1 or more. */
  passes: number;
  /** The wait before the second pass, in seconds: the user's --retries-sleep; it doubles from pass to pass. */
  passWaitSeconds: number;
  /** The user's --transfers, or rclone's default; taken out of `argv`, since throttling lowers it. */
  transfers: number;
  /** The size from which rclone copies one object in several streams, when the user says it; 0 for never. */
  multiThreadCutoffBytes: number | undefined;
  /** Whether a flag makes rclone compare with the destination, so that "unchanged" has to be read from its log. */
  comparesDestination: boolean;
}

/** rclone's own default for --retries: https://rclone.org/docs/#retries-int */
const passesDefault = 3;
/** https://rclone.org/docs/#transfers-int */
const transfersDefault = 4;

/** Flags that the account of every object rests on, and why each is refused. Short forms are listed beside. */
const refused: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "--files-from": "xfer hands rclone the list of objects itself",
    "--files-from-raw": "xfer hands rclone the list of objects itself",
    "--files-from0": "xfer hands rclone the list of objects itself",
    "--config": "use --rclone-config",
    "--dry-run": "nothing would be copied",
    "-n": "nothing would be copied",
    "--interactive": "nobody is there to answer",
    "-i": "nobody is there to answer",
    "--log-file": "xfer reads rclone's log to prove each object",
    "--log-format": "xfer reads rclone's log to prove each object",
    "--log-level": "xfer reads rclone's log to prove each object (use -v or -vv)",
    "--use-json-log": "xfer reads rclone's log to prove each object",
    "--syslog": "xfer reads rclone's log to prove each object",
    "--log-systemd": "xfer reads rclone's log to prove each object",
    "--quiet": "xfer reads rclone's log to prove each object",
    "-q": "xfer reads rclone's log to prove each object",
    "--progress": "it would mix with rclone's log",
    "-P": "it would mix with rclone's log",
    "--stats": "xfer reads rclone's statistics",
    "--stats-log-level": "xfer reads rclone's statistics",
    "--stats-one-line": "xfer reads rclone's statistics",
    "--stats-one-line-date": "xfer reads rclone's statistics",
    "--stats-one-line-date-format": "xfer reads rclone's statistics",
    "--stats-file-name-length": "xfer reads rclone's statistics",
    "--stats-unit": "xfer reads rclone's statistics",
    "--max-transfer": "objects would be left out",
    "--backup-dir": "objects would land elsewhere",
    "--compare-dest": "objects would be left out",
    "--copy-dest": "objects would land elsewhere",
    "--suffix": "objects would land under other names",
    "--ignore-errors": "failures would be hidden",
  }),
);

/**
 * Variables of an environment that stand for a refused flag (RCLONE_DRY_RUN for --dry-run), and why each is kept from
 * rclone: https://rclone.org/docs/#environment-variables
 */
export function refusedVariables(env: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [flag, reason] of refused) {
    const name = `RCLONE_${flag.replace(/^-+/, "").toUpperCase().replaceAll("-", "_")}`;
    // RCLONE_CONFIG says where rclone.conf is, as rclone's users expect.
    if (flag.startsWith("--") && flag !== "--config" && env[name] !== undefined) found.set(name, reason);
  }
  return found;
}

/** The variables of an environment with which rclone leaves objects out of a listing: https://rclone.org/filtering/ */
export function filterVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env).filter((name) =>
    /^RCLONE_(?:INCLUDE|EXCLUDE|FILTER|FILES_FROM|MAX_DEPTH|(?:MIN|MAX)_(?:SIZE|AGE)|HASH_FILTER)/.test(name),
  );
}

/** Flags with which rclone looks at the destination before it copies. */
const comparing =
  /^(?:--checksum|-c|--size-only|--update|-u|--ignore-existing|--ignore-times=false|--no-check-dest=false|--ignore-size|--immutable|--modify-window.*)$/;

/**
 * Sorts the user's rclone flags into those for rclone and those that the agent takes over.
 * Throws invalid input, with the reason, for a flag that the account of every object cannot stand.
 */
export function sortUserFlags(words: readonly string[]): UserFlags {
  const flags: UserFlags = {
    argv: [],
    passes: passesDefault,
    passWaitSeconds: 1,
    transfers: transfersDefault,
    multiThreadCutoffBytes: undefined,
    comparesDestination: false,
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const [name = "", inline] = splitFlag(word);
    const reason = refusal(name);
    if (reason) throw invalidInput(`--rclone-flags: ${name} cannot be used here: ${reason}`);
    if (name.startsWith("--") && isSecretOption(name.slice(2)) && !name.endsWith("-file")) {
      throw invalidInput(`--rclone-flags: ${name} carries a credential: put it in rclone.conf`);
    }
    const take = takers[name];
    const value = inline ?? words[i + 1];
    if (take && value === undefined) throw invalidInput(`--rclone-flags: ${name} has no value`);
    const kept = !take || take(flags, value ?? "");
    if (kept) flags.argv.push(word);
    if (take && inline === undefined) {
      if (kept) flags.argv.push(value ?? "");
      i++;
    }
  }
  flags.comparesDestination = flags.argv.some((word) => comparing.test(word));
  return flags;
}

/** Flags whose value the agent acts on; one that returns true leaves its flag to rclone as well. */
const takers: Readonly<Record<string, ((flags: UserFlags, value: string) => boolean) | undefined>> = {
  "--retries": (flags, value) => {
    flags.passes = Math.max(1, parseCount("--retries", value));
    return false;
  },
  "--retries-sleep": (flags, value) => {
    flags.passWaitSeconds = parseSeconds(value);
    return false;
  },
  "--transfers": (flags, value) => {
    flags.transfers = Math.max(1, parseCount("--transfers", value));
    return false;
  },
  "--multi-thread-cutoff": (flags, value) => {
    flags.multiThreadCutoffBytes = parseSize(value);
    return true;
  },
  "--multi-thread-streams": (flags, value) => {
    if (parseCount("--multi-thread-streams", value) <= 1) flags.multiThreadCutoffBytes = 0;
    return true;
  },
};

/** Why a flag is refused; `-nP` is the short flags -n and -P. */
function refusal(name: string): string | undefined {
  if (!/^-[A-Za-z]{2,}$/.test(name)) return refused.get(name);
  return [...name.slice(1)].map((letter) => refused.get(`-${letter}`)).find((reason) => reason !== undefined);
}

function splitFlag(word: string): [string, string | undefined] {
  const equals = word.indexOf("=");
  return equals === -1 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

function parseCount(name: string, value: string): number {
  if (!/^\d{1,4}$/.test(value)) {
    throw invalidInput(`--rclone-flags: ${name} must be a whole number from 0 to 9999, not ${value}`);
  }
  return Number(value);
}

/** rclone's sizes: KiB by default, or with a binary suffix (https://rclone.org/docs/#size-options); "off" is never. */
function parseSize(value: string): number | undefined {
  if (value === "off") return 0;
  const match = /^(\d+(?:\.\d+)?)([bkmgtp]?)(?:i?b?)$/i.exec(value);
  if (!match?.[1]) return undefined;
  const power = "bkmgtp".indexOf((match[2] || "k").toLowerCase());
  return Number(match[1]) * 1024 ** power;
}

/** rclone's durations: "10", "500ms", "1m30s" (https://rclone.org/docs/#time-options). */
function parseSeconds(value: string): number {
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value);
  const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== value) {
    throw invalidInput(`--rclone-flags: --retries-sleep must be a duration such as 10s, not ${value}`);
  }
  return parts.reduce((sum, [, number, unit = "s"]) => sum + Number(number) * (units[unit] ?? 1), 0);
}
