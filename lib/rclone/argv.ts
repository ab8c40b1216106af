import { parseRoot } from "./remote-options.ts";

/** How object times are listed: the server's own time costs no request, the one in metadata a HEAD each on S3. */
export const modtimeModes = ["server", "metadata", "none"] as const;

export type ModtimeMode = (typeof modtimeModes)[number];

/** What a listing asks of rclone. */
export interface ListOptions {
  root: string;
  configPath: string | undefined;
  recursive: boolean;
  /** Leaves directories out of the listing. */
  filesOnly: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: boolean;
  /** Folders that rclone looks into at a time, where it walks; undefined leaves it to rclone. */
  checkers?: number | undefined;
  /** How often -v was given: 0, 1 or 2. */
  verbosity: number;
  /** Whether messages are printed as JSON, which tells a path from what is said of it. */
  jsonLog?: boolean;
  extraFlags: readonly string[];
}

/** The argument vector of a listing: LIST requests only, but for a HEAD where the user asks for metadata times. */
export function lsjsonArgv(options: ListOptions): string[] {
  return [
    "rclone",
    "lsjson",
    ...(options.filesOnly ? ["--files-only"] : []),
    "--no-mimetype",
    ...(options.recursive ? ["--recursive"] : []),
    ...(options.fastList ? ["--fast-list"] : []),
    ...(options.modtime === "server" ? ["--use-server-modtime"] : []),
    ...(options.modtime === "none" ? ["--no-modtime"] : []),
    ...(options.hash ? ["--hash", "--hash-type", "md5"] : []),
    ...(options.checkers === undefined ? [] : ["--checkers", String(options.checkers)]),
    ...(options.verbosity > 0 ? [`-${"v".repeat(options.verbosity)}`] : []),
    ...(options.jsonLog ? ["--use-json-log"] : []),
    ...configFlags(options.configPath),
    ...options.extraFlags,
    directoryRoot(options.root),
  ];
}

/** What a copy asks of rclone. */
export interface CopyOptions {
  sourceRoot: string;
  destRoot: string;
  filesFrom: string;
  configPath: string | undefined;
  planFlags: readonly string[];
  transfers: number;
  userFlags: readonly string[];
  /** What throttling makes of the user's flags. */
  throttleFlags?: readonly string[];
  /** Seconds between two lines of statistics. */
  statsSeconds: number;
}

/**
 * The argument vector of one pass over a list of objects. The user's flags come last and win; --retries is 1, since
 * rclone's own retries copy the whole list again (the agent repeats only what is not proven).
 */
export function copyArgv(options: CopyOptions): string[] {
  return [
    "rclone",
    "copy",
    directoryRoot(options.sourceRoot),
    directoryRoot(options.destRoot),
    "--files-from-raw",
    options.filesFrom,
    ...configFlags(options.configPath),
    ...options.planFlags,
    "--transfers",
    String(options.transfers),
    ...options.userFlags,
    ...(options.throttleFlags ?? []),
    "--retries",
    "1",
    "--use-json-log",
    // What is left alone, and each request that the store refuses, show at DEBUG only.
    "-vv",
    "--stats",
    `${options.statsSeconds}s`,
    "--stats-log-level",
    "NOTICE",
  ];
}

/**
 * The root of a remote with a slash at its end, which says that it is a prefix. Without it rclone asks with a HEAD
 * whether it is an object, and if there is one of that name lists and copies that object alone, leaves out all that
 * lies below, and ends with exit code 0. A remote without a path stays as it is: `name:/` can be another place.
 */
export function directoryRoot(root: string): string {
  const parsed = parseRoot(root);
  return parsed.form === "remote" && /[^/]$/.test(parsed.path) ? `${root}/` : root;
}

/** Which rclone.conf is read; never with a question for its password, which nobody would answer. */
export function configFlags(configPath: string | undefined): string[] {
  return [...(configPath === undefined ? [] : ["--config", configPath]), "--ask-password=false"];
}
