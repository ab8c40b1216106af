import { backendOption } from "./flag-table.ts";
import type { GivenFlag } from "./flag-words.ts";

const reads = "xfer reads rclone's log to prove each object";
const leftOut = "objects would be left out";
const elsewhere = "objects would land elsewhere";
const otherNames = "objects would land under other names";

/** Flags that would break the account of every object, by their long names, and why each is refused. */
export const refused: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "files-from": "xfer hands rclone the list of objects itself",
    "files-from-raw": "xfer hands rclone the list of objects itself",
    "files-from0": "xfer hands rclone the list of objects itself",
    config: "use --rclone-config",
    "dry-run": "nothing would be copied",
    help: "nothing would be copied",
    version: "nothing would be copied",
    interactive: "nobody is there to answer",
    "log-file": reads,
    syslog: reads,
    "max-transfer": leftOut,
    "backup-dir": elsewhere,
    "compare-dest": leftOut,
    "copy-dest": elsewhere,
    "name-transform": otherNames,
    suffix: otherNames,
    "ignore-errors": "failures would be hidden",
    "server-side-across-configs":
      "xfer uses it by itself where both ends are one place for certain, and elsewhere it copies from the wrong one",
  }),
);

/**
 * Flags that change only what rclone shows, and why they are not handed on. xfer needs rclone's log and statistics in the
 * form that it reads, and shows the progress itself. A user who gives such a flag loses nothing.
 */
const displayFlags: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "log-format": reads,
    "log-level": reads,
    "log-systemd": reads,
    "use-json-log": reads,
    quiet: reads,
    progress: "it would mix with rclone's log",
    stats: "xfer reads rclone's statistics",
    "stats-log-level": "xfer reads rclone's statistics",
    "stats-one-line": "xfer reads rclone's statistics",
    "stats-one-line-date": "xfer reads rclone's statistics",
    "stats-one-line-date-format": "xfer reads rclone's statistics",
    "stats-file-name-length": "xfer reads rclone's statistics",
    "stats-unit": "xfer reads rclone's statistics",
  }),
);

/** Whether a flag of this name changes only what rclone shows. That is taken of all --stats-* flags, known or not. */
export function isDisplayFlag(name: string): boolean {
  return displayFlags.has(name) || name.startsWith("stats-");
}

/** Flags whose variables are kept from rclone, and why. */
export const keptVariables: ReadonlyMap<string, string> = new Map([...refused, ...displayFlags]);

/** Flags that are refused in listings: rclone would print something else, or would not tell which objects it left out. */
export const refusedInListings: ReadonlyMap<string, string> = new Map(
  Object.entries({
    config: "use --rclone-config",
    help: "nothing would be listed",
    version: "nothing would be listed",
    stat: "xfer reads a list",
    "dirs-only": "objects would be left out",
    "log-file": "xfer reads what rclone says",
    syslog: "xfer reads what rclone says",
    original: "xfer lists an object by its name",
    encrypted: "xfer lists an object by its name",
  }),
);

/** More variables that are kept from rclone, since they make it print credentials into a log that is kept. */
export const refusedVariablesOnly: ReadonlyMap<string, string> = new Map(
  Object.entries({
    dump: "it prints credentials into the log",
    "dump-bodies": "it prints credentials into the log",
    "dump-headers": "it prints credentials into the log",
  }),
);

/** Flags that change how rclone copies, but never which objects, whatever the destination holds. */
const neutral: ReadonlySet<string> = new Set(
  (
    "allow-https-downgrade ask-password auto-confirm bind buffer-size bwlimit bwlimit-file ca-cert cache-dir " +
    "check-first checkers client-cert client-key color contimeout cpuprofile create-empty-src-dirs default-time " +
    "disable-http-keep-alives disable-http2 dscp error-on-no-transfer expect-continue-timeout fast-list " +
    "fs-cache-expire-duration fs-cache-expire-interval http-proxy human-readable ignore-checksum ignore-times inplace " +
    "kv-lock-time links list-cutoff low-level-retries max-backlog max-buffer-memory max-connections max-stats-groups " +
    "memprofile metadata metadata-mapper metadata-set multi-thread-chunk-size multi-thread-cutoff " +
    "multi-thread-streams multi-thread-write-buffer-size no-check-certificate no-check-dest no-console " +
    "no-gzip-encoding no-traverse no-unicode-normalization no-update-dir-modtime order-by partial-suffix " +
    "password-command progress-terminal-title retries retries-sleep " +
    "streaming-upload-cutoff temp-dir timeout tpslimit tpslimit-burst transfers use-cookies use-mmap " +
    "use-server-modtime user-agent verbose copy-links skip-links skip-specials one-file-system"
  ).split(" "),
);

/** Booleans that make rclone look at the destination when they are false. */
const comparesWhenFalse: ReadonlySet<string> = new Set(["no-check-dest", "ignore-times"]);

/**
 * Whether a flag with this value may make the choice of copied objects depend on the destination:
 *
 * | flag | value | depends |
 * |---|---|---|
 * | known to be neutral, or a known flag of a backend | any | no |
 * | --no-check-dest, --ignore-times | false | yes |
 * | another boolean | false | no: that is rclone's default |
 * | any other, known or not | any | yes |
 */
export function dependsOnDestination({
  name,
  kind,
  value,
}: Pick<GivenFlag, "name" | "kind" | "value">): boolean {
  if (comparesWhenFalse.has(name)) return value === "false";
  if (neutral.has(name)) return false;
  if (kind === "boolean" && value === "false") return false;
  return kind === "unknown" || backendOption(name) === undefined;
}

/** Filters whose patterns are relative to the root that is listed. */
export const rootedFilters: ReadonlySet<string> = new Set([
  ...["include", "include-from", "exclude", "exclude-from", "exclude-if-present", "filter", "filter-from"],
  ...["files-from", "files-from-raw", "files-from0", "max-depth", "hash-filter"],
]);
