import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ListerMessages, type Unlistable } from "../listing/lister-messages.ts";
import { listingsInOne } from "../listing/places.ts";
import type { CoverRow } from "../manifest/cover.ts";
import { joinRoot } from "../manifest/root.ts";
import { lsjsonArgv, type ModtimeMode } from "../rclone/argv.ts";
import { tellingMessage } from "../rclone/failure-class.ts";
import type { RootKind } from "../rclone/remote.ts";
import { type RuntimeName, rcloneVariables, stepEnvironment, wrapCommand } from "../rclone/runtime.ts";
import { showsVariable } from "../rclone/secrets.ts";
import { removeIfAny } from "../system/durable.ts";
import { errnoOf, exitCodes, messageOf, operationFailed, XferError } from "../system/errors.ts";
import { stoppedError, stopReason } from "../system/interrupt.ts";
import { forEachLine } from "../system/lines.ts";
import { type ProcessExit, startChild } from "../system/process.ts";
import { quoteWords } from "../system/shell-words.ts";
import { formatObjects } from "../system/units.ts";
import { mountsFor } from "./mounts.ts";
import { remoteContext } from "./remotes.ts";

/** How rclone is reached for listings, and what happens to what it says. */
export interface Lister {
  runtime: RuntimeName;
  image: string | undefined;
  configPath: string | undefined;
  confInContainer: string;
  pyxisExtra: readonly string[];
  /** CPUs of the listing's step, under pyxis. */
  cpus: number;
  verbosity: number;
  /** Names the error log. */
  runId: string;
  /** Where an xfer-err folder is made when a listing fails. */
  errorDir: string;
  /** Aborted to stop the listing. */
  stop: AbortSignal;
}

/** One `rclone lsjson`. */
export interface ListingRequest {
  root: string;
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
  /** Asks for rclone's version too: it is in the first lines of the log at -vv, which are few for any listing. */
  version?: boolean;
}

/** What was made of a listing, not yet under its final name. */
interface PendingListing {
  objects: number;
  /** Whether the closing bracket was read; without it the listing is only accepted with folders that it lacks. */
  closed?: boolean;
  /** The rest is not wanted: rclone is stopped, and how it ends does not count. */
  isOver?: boolean;
  commit(): void;
  abort(): void;
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
  /** rclone's version, such as 1.60.1-DEV, where the request asks for it and rclone says it. */
  version: string | undefined;
}

/** A listing that did not end well. */
export class ListingFailed extends XferError {
  /** What tells most of why: rclone's words, or its container's. */
  readonly said: string;

  constructor(message: string, said: string) {
    super(message, exitCodes.failed);
    this.said = said;
  }
}

/** What a caller asks for beside the listing itself. */
export interface ListingOptions {
  request: ListingRequest;
  /** Takes the listing; what it returns is committed when rclone ended well too, and aborted otherwise. */
  consume: (stream: AsyncIterable<Uint8Array>) => Promise<PendingListing>;
  /** What a listing without objects is: an error, fine, or fine even when there is no such directory. */
  empty: "error" | "allowed" | "absent-too";
  /** Whether folders that cannot be listed fail the listing, or are told in its end; the root is one of them or not. */
  unlistable?: "fails" | "told" | "told-of-root-too";
}

/** CPUs of the listing's step under pyxis, when there is one at a time. */
export const listingCpus = 8;
const tailBytesMax = 64 * 1024;
/** rclone has this long to end after TERM. */
const killAfterMs = 15_000;
/** https://rclone.org/docs/#exit-code */
const directoryNotFoundCode = 3;

/**
 * Runs one listing through the runtime. Throws operation failed, naming the error log that it wrote under xfer-err,
 * unless the whole listing was taken and rclone ended with 0; no process is left either way.
 */
export async function runListing(lister: Lister, options: ListingOptions): Promise<ListingEnd> {
  const { request } = options;
  const argv = listingCommand(lister, request);
  const child = startChild(argv, {
    env: stepEnvironment(lister.runtime, process.env),
    gather: "stdout",
  });
  let killTimer: NodeJS.Timeout | undefined;
  const stopChild = () => {
    child.signalGroup("SIGTERM");
    killTimer ??= setTimeout(() => child.signalGroup("SIGKILL"), killAfterMs);
  };
  lister.stop.addEventListener("abort", stopChild);
  if (lister.stop.aborted) stopChild();
  const stderr = new Tail();
  const stdout = new Tail();
  const messages = new ListerMessages();
  const decoder = new TextDecoder();
  const readStderr = forEachLine(child.stderr, ({ bytes }) => {
    const line = messages.take(decoder.decode(bytes));
    if (showsVariable(line)) return;
    stderr.add(Buffer.from(line));
    if (lister.verbosity > 0) process.stderr.write(`${line}\n`);
  });
  try {
    const pending = await options.consume(stdout.watch(child.stdout));
    let unlistable: readonly Unlistable[];
    try {
      if (pending.isOver) stopChild();
      const [exit] = await Promise.all([child.exited, readStderr]);
      unlistable = acceptedGaps(exit, pending, messages, options.unlistable ?? "fails");
      if (pending.objects === 0 && options.empty === "error") {
        throw operationFailed(`no object was found under ${request.root}: check the bucket and prefix`);
      }
    } catch (error) {
      pending.abort();
      throw error;
    }
    pending.commit();
    return endOf(messages, pending.objects, unlistable);
  } catch (error) {
    stopChild();
    await Promise.allSettled([readStderr, child.exited]);
    const reason = stopReason(lister.stop);
    if (reason) throw stoppedError(reason, "nothing was written; run the same command again");
    const exit = await child.exited;
    // rclone prints its opening bracket before it looks at the directory.
    const nothingListed = /^\s*(?:\[\s*\]?)?\s*$/.test(stdout.text());
    const isAbsent = exit.code === directoryNotFoundCode && /directory not found/.test(stderr.text());
    if (options.empty === "absent-too" && isAbsent && nothingListed) return endOf(messages, 0, []);
    const said = lastWords(stderr.text());
    const log = writeErrorLog({ lister, argv, error, exitCode: exit.code, stdout, stderr });
    const because = exit.code !== 0 && exit.signal === null && said ? said : messageOf(error);
    throw new ListingFailed(`listing ${request.root} failed: ${because} (details: ${log})`, because);
  } finally {
    clearTimeout(killTimer);
    lister.stop.removeEventListener("abort", stopChild);
  }
}

function endOf(messages: ListerMessages, objects: number, unlistable: readonly Unlistable[]): ListingEnd {
  const { leftOut, firstLeftOut, dropped, version } = messages;
  return { objects, leftOut, firstLeftOut, dropped, unlistable, version };
}

/**
 * The folders that a listing lacks, none for one that ended well. Throws operation failed for a listing that is not
 * whole in any other way, or that may lack none.
 */
function acceptedGaps(
  exit: ProcessExit,
  pending: PendingListing,
  messages: ListerMessages,
  allowed: NonNullable<ListingOptions["unlistable"]>,
): readonly Unlistable[] {
  if (pending.isOver) return [];
  if (exit.code === 0) {
    if (pending.closed === false) throw operationFailed("the listing ended early: no closing bracket");
    return [];
  }
  const folders = exit.signal === null && allowed !== "fails" ? messages.unlistable() : undefined;
  const accepted =
    folders !== undefined && (allowed === "told-of-root-too" || folders.every(({ path }) => path !== ""));
  if (accepted) return folders;
  const early =
    pending.closed === false ? `the listing ended early, after ${formatObjects(pending.objects)}: ` : "";
  throw operationFailed(`${early}the lister ended with exit code ${exit.code}`);
}

function listingCommand(lister: Lister, request: ListingRequest): string[] {
  const { runtime, configPath, confInContainer } = lister;
  const inContainer = runtime !== "host";
  const argvOf = ({ prefix, recursive }: CoverRow) =>
    lsjsonArgv({
      root: prefix === "" ? request.root : joinRoot(request.root, prefix),
      configPath: inContainer && configPath !== undefined ? confInContainer : configPath,
      recursive,
      filesOnly: request.filesOnly,
      fastList: request.fastList,
      modtime: request.modtime,
      hash: request.hash,
      checkers: request.checkers,
      verbosity: request.version ? 2 : lister.verbosity,
      jsonLog: true,
      extraFlags: request.extraFlags,
    });
  const argv = request.places
    ? listingsInOne(request.places.map(argvOf))
    : argvOf({ prefix: "", recursive: request.recursive });
  return wrapCommand(argv, {
    runtime,
    image: lister.image,
    cpus: lister.cpus,
    pyxisExtra: lister.pyxisExtra,
    keepFromImage: rcloneVariables(process.env),
    mounts: mountsFor({
      runtime,
      configPath,
      confInContainer,
      readOnly: [request.mountedRoot ?? request.root],
      writable: [],
      context: remoteContext(configPath, runtime),
    }),
  });
}

/** The last bytes of a stream, for an error log. */
class Tail {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice(-tailBytesMax), new Uint8Array([0x0a]));
    this.#bytes += bytes.length + 1;
    this.#trim();
  }

  async *watch(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      this.#parts.push(chunk.slice(-tailBytesMax));
      this.#bytes += chunk.length;
      this.#trim();
      yield chunk;
    }
  }

  #trim(): void {
    if (this.#bytes < 2 * tailBytesMax) return;
    const all = Buffer.concat(this.#parts).subarray(-tailBytesMax);
    this.#parts = [all];
    this.#bytes = all.length;
  }

  text(): string {
    return Buffer.concat(this.#parts).subarray(-tailBytesMax).toString("utf8");
  }
}

/** What rclone says at -vv of what it does: the names in it would be taken for the failure. */
const debugText = /^\S+ \S+ DEBUG : |"level":"debug"/;

/** The line that tells most of what went wrong, without rclone's date. */
function lastWords(stderr: string): string | undefined {
  const lines = stderr
    .split("\n")
    .filter((line) => !debugText.test(line))
    .map((line) => line.trim().replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, ""));
  const telling = lines.filter((line) => /error|fail|fatal|critical|unable|not found|denied/i.test(line));
  return (tellingMessage(telling) ?? lines.findLast((line) => line !== ""))?.slice(0, 400);
}

function writeErrorLog(failure: {
  lister: Lister;
  argv: string[];
  error: unknown;
  exitCode: number;
  stdout: Tail;
  stderr: Tail;
}): string {
  const { lister, argv, error, exitCode, stdout, stderr } = failure;
  const slurm = Object.entries(process.env)
    .filter(([name]) => name.startsWith("SLURM_") && !/JWT|TOKEN|KEY|PASS|SECRET/.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const text = [
    `error: ${messageOf(error)}`,
    `exit code: ${exitCode}`,
    `command: ${quoteWords(argv)}`,
    "",
    "== SLURM environment ==",
    ...slurm.sort(),
    "",
    "== end of stdout ==",
    stdout.text(),
    "== stderr ==",
    stderr.text(),
    "",
  ].join("\n");
  const dir = join(lister.errorDir, "xfer-err");
  const path = join(dir, `manifest-build_${lister.runId}.log`);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(path, text);
    return path;
  } catch (logError) {
    removeIfAny(path);
    return `no log: ${dir} cannot be written: ${errnoOf(logError) ?? messageOf(logError)}`;
  }
}
