import { bucketOf } from "../rclone/bucket.ts";
import { remoteContext } from "../rclone/conf.ts";
import { stepEnvironment } from "../rclone/runtime.ts";
import { type Cause, causeOf } from "../rclone/telling.ts";
import { exitCodes, messageOf, operationFailed, XferError } from "../system/errors.ts";
import { stoppedError, stopReason } from "../system/interrupt.ts";
import { forEachLine } from "../system/lines.ts";
import { type ProcessExit, startChild } from "../system/process.ts";
import { stopWith } from "../system/stop-child.ts";
import { formatObjects } from "../system/units.ts";
import { WriteError } from "../system/write-error.ts";
import { writeErrorLog } from "./error-log.ts";
import type { ListerMessages, Unlistable } from "./lister-messages.ts";
import { ListerOutput } from "./lister-output.ts";
import { ListingWatch } from "./listing-watch.ts";
import { inquiryCommand, type ListingRequest, type ListingSetup, listingCommand } from "./request.ts";

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

/** rclone is killed when it has not ended this long after TERM. */
const killAfterMs = 15_000;

/**
 * Runs one listing through the runtime, and returns what was made of it; of a root that is absent, nothing. Throws operation
 * failed unless the whole listing was read and rclone ended with 0. The error names the log that was written under xfer-err.
 * No process is left in any case.
 */
export async function runListing<T = undefined>(
  setup: ListingSetup,
  options: ListingOptions<T>,
): Promise<ListingEnd & { made: T | undefined }> {
  const { request } = options;
  const argv = listingCommand(setup, request);
  const env = stepEnvironment(setup.runtime, process.env);
  const child = startChild(argv, { env, gather: "stdout" });
  using stopping = stopWith(child, setup.stop, () => ({ graceMs: killAfterMs }));
  const output = new ListerOutput(setup);
  const inquiry = inquiryCommand(setup, request);
  const watch = new ListingWatch({ ...setup, ...request, inquiry: inquiry && { argv: inquiry, env } });
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
      if (taken.isOver) stopping.stop();
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
    stopping.stop();
    await Promise.allSettled([readStderr, child.exited]);
    const reason = stopReason(setup.stop);
    if (reason) throw stoppedError(reason, "nothing was written; run the same command again");
    const exit = await child.exited;
    if (options.empty === "absent-too" && output.saysAbsent(exit) && output.hasNoEntry) {
      watch.answered();
      return { ...endOf(output.messages, 0, []), absent: true, made: undefined };
    }
    // A full disk ended the reading, and that ended rclone: the disk is the cause.
    if (error instanceof WriteError) throw error;
    throw listingFailed(setup, request, { argv, error, exit, output });
  } finally {
    watch.end();
  }
}

/** Writes the error log of a failed listing, and makes its error, in rclone's words where there are any. */
function listingFailed(
  setup: ListingSetup,
  { root }: ListingRequest,
  failure: { argv: string[]; error: unknown; exit: ProcessExit; output: ListerOutput },
): ListingFailed {
  const { argv, error, exit, output } = failure;
  const { stdout, stderr } = output;
  const log = writeErrorLog({ setup, argv, error, exitCode: exit.code, stdout, stderr });
  const bucket = output.saysAbsent(exit)
    ? bucketOf(root, remoteContext(setup.configPath, setup.runtime))
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
