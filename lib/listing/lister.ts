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

/** How rclone is reached for listings, and what happens to what it says. */
export interface Lister extends RcloneReach {
  /** CPUs of the listing's step, under pyxis. */
  cpus: number;
  verbosity: number;
  /** Names the error log. */
  runId: string;
  /** Where an xfer-err folder is made when a listing fails. */
  errorDir: string;
  /** Aborted to stop the listing. */
  stop: AbortSignal;
  /** Takes what keeps the listing waiting; on stderr otherwise. */
  onHindrance?: OnHindrance | undefined;
}

/** One `rclone lsjson`. */
export interface ListingRequest {
  root: string;
  /** Which of the two places of a transfer the root is. */
  side: Side;
  /** What a container mounts to see a POSIX root, where that is not the root itself. */
  mountedRoot?: string;
  kind: RootKind;
  recursive: boolean;
  /** Leaves directories out of the listing. */
  filesOnly: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: boolean;
  /** Folders that rclone looks into at a time, where it walks. */
  checkers?: number;
  extraFlags: readonly string[];
  /** Lists these places below the root one after the other, in one start of rclone's container, instead of the root. */
  places?: readonly CoverRow[];
}

/** What was read of a listing, and what was made of it. */
interface TakenListing<T> {
  objects: number;
  /** Whether the closing bracket was read; without it the listing is only accepted with folders that it lacks. */
  closed?: boolean;
  /** The rest is not wanted: rclone is stopped, and how it ends does not count. */
  isOver?: boolean;
  made?: T;
  /** Called when rclone did not end well: what was made does not count. */
  abort?(): void;
}

/** How a listing ended, and what rclone said that it left out. */
export interface ListingEnd {
  objects: number;
  /** Symbolic links, devices and the like: rclone copies none of them. */
  leftOut: number;
  firstLeftOut: string | undefined;
  /** What rclone dropped without failing, where it said so. */
  dropped: readonly Unlistable[];
  /** Folders that could not be listed. */
  unlistable: readonly Unlistable[];
  /** rclone's version, such as 1.60.1-DEV, where rclone says it. */
  version: string | undefined;
  /** Whether there is no such directory; of an object store, no such bucket. */
  absent: boolean;
}

/** A listing that did not end well. */
export class ListingFailed extends XferError {
  /** Why: by rclone's words, or its container's. */
  readonly why: Cause;

  constructor(message: string, why: Cause, options: ErrorOptions) {
    super(message, exitCodes.failed, options);
    this.why = why;
  }
}

/** What a caller asks for beside the listing itself. */
export interface ListingOptions<T> {
  request: ListingRequest;
  /** Takes the listing; what it makes counts when rclone ended well, too, and is aborted otherwise. */
  consume: (stream: AsyncIterable<Uint8Array>) => Promise<TakenListing<T>>;
  /** What a listing without objects is: an error, fine, or fine even when there is no such directory. */
  empty: "error" | "allowed" | "absent-too";
  /** Whether folders that cannot be listed fail the listing, or are told in its end; the root is one of them or not. */
  unlistable?: "fails" | "told" | "told-of-root-too";
}

/** CPUs of the listing's step under pyxis, when there is one at a time. */
export const listingCpus = 8;

/** rclone has this long to end after TERM. */
const killAfterMs = 15_000;

/**
 * Runs one listing through the runtime, and returns what was made of it: nothing of a root that is absent. Throws operation
 * failed, naming the error log that it wrote under xfer-err, unless the whole listing was taken and rclone ended with 0; no
 * process is left either way.
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
    // A disk that takes no more of the listing has ended rclone, not the other way round.
    if (error instanceof WriteError) throw error;
    throw listingFailed(lister, request, { argv, error, exit, output });
  } finally {
    watch.end();
    clearTimeout(killTimer);
    lister.stop.removeEventListener("abort", stopChild);
  }
}

/** Writes the error log of a listing that failed, and makes its error, which says why by rclone's words if there are any. */
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
 * The folders that a listing lacks, none for one that ended well. Throws operation failed for a listing that is not
 * whole in any other way, or that may lack none.
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
          // At -vv rclone says its version, and what it repeats.
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
 * The listing that gives up at once, of a place that may not answer. Undefined for a path, and under pyxis, where each
 * start of rclone is a step, or a job, of its own.
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
