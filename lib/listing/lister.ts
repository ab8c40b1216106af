import { lsjsonArgv, type ModtimeMode } from "../rclone/argv.ts";
import { bucketOf } from "../rclone/bucket.ts";
import { remoteContext } from "../rclone/conf.ts";
import type { Side } from "../rclone/hindrance.ts";
import { inquiryFlags } from "../rclone/inquiry.ts";
import type { RcloneReach } from "../rclone/reach.ts";
import type { RootKind } from "../rclone/root.ts";
import { stepEnvironment } from "../rclone/runtime.ts";
import { stepCommand } from "../rclone/step.ts";
import { type Cause, causeOf } from "../rclone/telling.ts";
import { exitCodes, messageOf, operationFailed, XferError } from "../system/errors.ts";
import { stoppedError, stopReason } from "../system/interrupt.ts";
import { forEachLine } from "../system/lines.ts";
import { type ProcessExit, startChild } from "../system/process.ts";
import { formatObjects } from "../system/units.ts";
import { WriteError } from "../system/write-error.ts";
import type { CoverRow } from "./cover.ts";
import { writeErrorLog } from "./error-log.ts";
import type { ListerMessages, Unlistable } from "./lister-messages.ts";
import { ListerOutput } from "./lister-output.ts";
import { ListingWatch, type OnHindrance } from "./listing-watch.ts";
import { listingsInOne } from "./places.ts";
import { rootBelow } from "./prefix.ts";

/** How rclone is reached for listings, and where its messages go. */
export interface Lister extends RcloneReach {
  /** CPUs of the listing's step, under pyxis. */
  cpus: number;
  verbosity: number;
  /** The id in the error log's name. */
  runId: string;
  /** The folder in which xfer-err is made when a listing fails. */
  errorDir: string;
  /** Aborted to stop the listing. */
  stop: AbortSignal;
  /** Takes the reason why the listing waits. Without it the reason goes to stderr. */
  onHindrance?: OnHindrance | undefined;
}

/** A request for one `rclone lsjson`. */
export interface ListingRequest {
  root: string;
  /** Whether the root is the source or the destination of the transfer. */
  side: Side;
  /** The path that a container mounts to see a POSIX root, where that is not the root itself. */
  mountedRoot?: string;
  kind: RootKind;
  recursive: boolean;
  /** Whether directories are left out of the listing. */
  filesOnly: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: boolean;
  /** How many folders rclone lists at a time, where it walks a tree. */
  checkers?: number;
  extraFlags: readonly string[];
  /** Places below the root that are listed in place of it, one after the other, in one start of rclone's container. */
  places?: readonly CoverRow[];
}

/** How far a listing was read, and what was made of it. */
interface TakenListing<T> {
  objects: number;
  /** Whether the closing bracket was read. A listing without it is accepted only if it lacks some folders. */
  closed?: boolean;
  /** Whether the rest is not wanted. rclone is then stopped, and its exit code does not count. */
  isOver?: boolean;
  made?: T;
  /** Called when rclone did not end well: `made` does not count then. */
  abort?(): void;
}

/** How a listing ended, and what rclone left out by its own words. */
export interface ListingEnd {
  objects: number;
  /** How many symbolic links, devices and the like rclone left out: it copies none of them. */
  leftOut: number;
  firstLeftOut: string | undefined;
  /** Entries that rclone dropped without failing, as far as it told. */
  dropped: readonly Unlistable[];
  /** Folders that could not be listed. */
  unlistable: readonly Unlistable[];
  /** rclone's version, such as 1.60.1-DEV, where rclone told it. */
  version: string | undefined;
  /** Whether the directory does not exist; of an object store, the bucket. */
  absent: boolean;
}

/** The error of a listing that did not end well. */
export class ListingFailed extends XferError {
  /** The cause, in the words of rclone or of its container. */
  readonly why: Cause;

  constructor(message: string, why: Cause, options: ErrorOptions) {
    super(message, exitCodes.failed, options);
    this.why = why;
  }
}

/** A listing to run, and what counts as its success. */
export interface ListingOptions<T> {
  request: ListingRequest;
  /** Reads the listing. What it makes counts only if rclone ended well, and is aborted otherwise. */
  consume: (stream: AsyncIterable<Uint8Array>) => Promise<TakenListing<T>>;
  /** Whether a listing without objects is an error, fine, or fine even when the directory does not exist. */
  empty: "error" | "allowed" | "absent-too";
  /** Whether a folder that cannot be listed fails the listing, or is named in its end; the root may be one of these folders or not. */
  unlistable?: "fails" | "told" | "told-of-root-too";
}

/** CPUs of a listing's step under pyxis, when only one listing runs. */
export const listingCpus = 8;

/** rclone is killed when it has not ended this long after TERM. */
const killAfterMs = 15_000;

/**
 * Runs one listing through the runtime, and returns what was made of it; of a root that is absent, nothing. Throws operation
 * failed unless the whole listing was read and rclone ended with 0. The error names the log that was written under xfer-err.
 * No process is left in any case.
 */
export async function runListing<T = undefined>(
  lister: Lister,
  options: ListingOptions<T>,
): Promise<ListingEnd & { made: T | undefined }> {
  const { request } = options;
  const argv = listingCommand(lister, request);
  const env = stepEnvironment(lister.runtime, process.env);
  const child = startChild(argv, { env, gather: "stdout" });
  let killTimer: NodeJS.Timeout | undefined;
  const stopChild = () => {
    child.signalGroup("SIGTERM");
    killTimer ??= setTimeout(() => child.signalGroup("SIGKILL"), killAfterMs);
  };
  lister.stop.addEventListener("abort", stopChild);
  if (lister.stop.aborted) stopChild();
  const output = new ListerOutput(lister);
  const inquiry = inquiryCommand(lister, request);
  const watch = new ListingWatch({ ...lister, ...request, inquiry: inquiry && { argv: inquiry, env } });
  const decoder = new TextDecoder();
  const readStderr = forEachLine(child.stderr, ({ bytes }) => {
    const text = decoder.decode(bytes);
    watch.line(text);
    output.takeLine(text);
  });
  try {
    const taken = await options.consume(watch.watch(output.stdout.watch(child.stdout)));
    let unlistable: readonly Unlistable[];
    try {
      if (taken.isOver) stopChild();
      const [exit] = await Promise.all([child.exited, readStderr]);
      unlistable = acceptedGaps(exit, taken, output.messages, options.unlistable ?? "fails");
      if (taken.objects === 0 && options.empty === "error") {
        throw operationFailed(`no object was found under ${request.root}: check the bucket and prefix`);
      }
    } catch (error) {
      taken.abort?.();
      throw error;
    }
    watch.answered();
    return { ...endOf(output.messages, taken.objects, unlistable), absent: false, made: taken.made };
  } catch (error) {
    stopChild();
    await Promise.allSettled([readStderr, child.exited]);
    const reason = stopReason(lister.stop);
    if (reason) throw stoppedError(reason, "nothing was written; run the same command again");
    const exit = await child.exited;
    if (options.empty === "absent-too" && output.saysAbsent(exit) && output.hasNoEntry) {
      watch.answered();
      return { ...endOf(output.messages, 0, []), absent: true, made: undefined };
    }
    // A full disk ended the reading, and that ended rclone: the disk is the cause.
    if (error instanceof WriteError) throw error;
    throw listingFailed(lister, request, { argv, error, exit, output });
  } finally {
    watch.end();
    clearTimeout(killTimer);
    lister.stop.removeEventListener("abort", stopChild);
  }
}

/** Writes the error log of a failed listing, and makes its error, in rclone's words where there are any. */
function listingFailed(
  lister: Lister,
  { root }: ListingRequest,
  failure: { argv: string[]; error: unknown; exit: ProcessExit; output: ListerOutput },
): ListingFailed {
  const { argv, error, exit, output } = failure;
  const { stdout, stderr } = output;
  const log = writeErrorLog({ lister, argv, error, exitCode: exit.code, stdout, stderr });
  const bucket = output.saysAbsent(exit)
    ? bucketOf(root, remoteContext(lister.configPath, lister.runtime))
    : undefined;
  const own = output.causeOfExit(exit) ?? causeOf(messageOf(error));
  const why = bucket ? { ...own, message: `bucket ${bucket.name} does not exist (${own.message})` } : own;
  return new ListingFailed(`listing ${root} failed: ${why.message} (details: ${log})`, why, { cause: error });
}

function endOf(messages: ListerMessages, objects: number, unlistable: readonly Unlistable[]) {
  const { leftOut, firstLeftOut, dropped, version } = messages;
  return { objects, leftOut, firstLeftOut, dropped, unlistable, version };
}

/**
 * The folders that a listing lacks; none for a listing that ended well. Throws operation failed for a listing that is not
 * whole for another reason, or that must not lack a folder.
 */
function acceptedGaps(
  exit: ProcessExit,
  taken: TakenListing<unknown>,
  messages: ListerMessages,
  allowed: NonNullable<ListingOptions<unknown>["unlistable"]>,
): readonly Unlistable[] {
  if (taken.isOver) return [];
  if (exit.code === 0) {
    if (taken.closed === false) throw operationFailed("the listing ended early: no closing bracket");
    return [];
  }
  const folders = exit.signal === null && allowed !== "fails" ? messages.unlistable() : undefined;
  const accepted =
    folders !== undefined && (allowed === "told-of-root-too" || folders.every(({ path }) => path !== ""));
  if (accepted) return folders;
  const early =
    taken.closed === false ? `the listing ended early, after ${formatObjects(taken.objects)}: ` : "";
  throw operationFailed(`${early}the lister ended with exit code ${exit.code}`);
}

function listingCommand(lister: Lister, request: ListingRequest): string[] {
  return stepCommand(lister, {
    argv: ({ configPath }) => {
      const argvOf = ({ prefix, recursive }: CoverRow) =>
        lsjsonArgv({
          root: rootBelow(request.root, prefix),
          configPath,
          recursive,
          filesOnly: request.filesOnly,
          fastList: request.fastList,
          modtime: request.modtime,
          hash: request.hash,
          checkers: request.checkers,
          // At -vv rclone tells its version, and which requests it repeats.
          verbosity: 2,
          jsonLog: true,
          extraFlags: request.extraFlags,
        });
      return request.places
        ? listingsInOne(request.places.map(argvOf))
        : argvOf({ prefix: "", recursive: request.recursive });
    },
    readOnly: [request.mountedRoot ?? request.root],
    writable: [],
    cpus: lister.cpus,
    env: process.env,
  });
}

/**
 * The command of a listing that gives up at once, for a place that may not answer. Undefined for a path, and under pyxis,
 * where each start of rclone is a step or a job of its own.
 */
export function inquiryCommand(lister: Lister, request: ListingRequest): string[] | undefined {
  if (request.kind === "posix" || lister.runtime === "pyxis") return undefined;
  const { places: _, ...whole } = request;
  return listingCommand(lister, {
    ...whole,
    recursive: false,
    fastList: false,
    modtime: "none",
    hash: false,
    extraFlags: [...request.extraFlags, ...inquiryFlags],
  });
}
