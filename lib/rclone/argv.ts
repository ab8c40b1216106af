import { parseRoot } from "./remote-options.ts";

/** The time that a listing gives of an object. On S3 the server's own costs no request, and metadata's a HEAD each. */
export const modtimeModes = ["server", "metadata", "none"] as const;

export type ModtimeMode = (typeof modtimeModes)[number];

/** One listing by rclone. */
export interface ListOptions {
  root: string;
  configPath: string | undefined;
  recursive: boolean;
  /** Leaves directories out of the listing. */
  filesOnly: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: boolean;
  /** How many folders rclone looks into at a time where it walks; undefined leaves that to rclone. */
  checkers?: number | undefined;
  /** The number of -v flags: 0, 1 or 2. */
  verbosity: number;
  /** Whether messages are printed as JSON, in which the path is apart from the message. */
  jsonLog?: boolean;
  extraFlags: readonly string[];
}

/** The argument vector of a listing. It makes LIST requests only, and HEAD requests where the user wants metadata times. */
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

/** One copy by rclone. */
export interface CopyOptions {
  sourceRoot: string;
  destRoot: string;
  filesFrom: string;
  configPath: string | undefined;
  planFlags: readonly string[];
  transfers: number;
  userFlags: readonly string[];
  /** Flags that hold rclone back while the store throttles; they win over the user's. */
  throttleFlags?: readonly string[];
  /** Seconds between two lines of statistics. */
  statsSeconds: number;
}

/**
 * The argument vector of one rclone over a list of objects. The user's flags come after the plan's and win. --retries is
 * 1, since rclone's own retries copy the whole list again; the agent's passes repeat only objects that are not proven.
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
    // Objects that are left alone, and requests that the store refuses, show at DEBUG only.
    "-vv",
    "--stats",
    `${options.statsSeconds}s`,
    "--stats-log-level",
    "NOTICE",
  ];
}

/**
 * The root of a remote with a slash at its end, which says that the root is a prefix. Without the slash rclone asks with a
 * HEAD whether the root is an object. If there is an object of that name, rclone lists and copies that one alone, leaves
 * out all objects below, and ends with exit code 0. A remote without a path stays as it is: `name:/` can be another place.
 */
export function directoryRoot(root: string): string {
  const parsed = parseRoot(root);
  return parsed.form === "remote" && /[^/]$/.test(parsed.path) ? `${root}/` : root;
}

/** The flags that say which rclone.conf is read, and that nobody is asked for its password. */
export function configFlags(configPath: string | undefined): string[] {
  return [...(configPath === undefined ? [] : ["--config", configPath]), "--ask-password=false"];
}
