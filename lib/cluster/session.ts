import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { readTextIfExists, writeFileDurable } from "../system/durable.ts";
import { errnoOf, exitCodes, operationFailed, XferError } from "../system/errors.ts";
import { sleep } from "../system/interrupt.ts";
import { readJsonFile } from "../system/json-file.ts";
import { childEnvironment, signalProcessGroup, startDetached } from "../system/process.ts";
import { identifyProcess, ownTable, runsStill } from "../system/process-identity.ts";

/**
 * A command that runs at the far end whatever becomes of the connection: it is detached, and its outputs and its exit code
 * are files, which any later connection reads from their beginning.
 *
 *     <folder>/<id>/session.json   xfer.session.v1: the words, and the process
 *     <folder>/<id>/out, err       its outputs
 *     <folder>/<id>/exit           its exit code, written last
 *
 * The id is made of the words and the folder they run in, so that the same command again finds the session of the first.
 */
export const sessionSchema = v.object({
  schema: v.literal("xfer.session.v1"),
  words: v.array(v.string()),
  cwd: v.string(),
  host: v.string(),
  boot: v.nullable(v.string()),
  pid_namespace: v.nullable(v.string()),
  process: v.object({ pid: v.number(), start: v.string() }),
  started_at: v.string(),
});

/** What is run, and where its files are. */
export interface SessionRequest {
  /** The folder of all sessions. */
  folder: string;
  words: readonly [string, ...string[]];
  cwd: string;
  now: Date;
}

const pathsOf = (dir: string) => ({
  dir,
  session: join(dir, "session.json"),
  out: join(dir, "out"),
  err: join(dir, "err"),
  exit: join(dir, "exit"),
});

/** The id of the session that runs these words. */
export function sessionId({ words, cwd }: Pick<SessionRequest, "words" | "cwd">): string {
  return createHash("sha256")
    .update(JSON.stringify([cwd, words]))
    .digest("hex")
    .slice(0, 16);
}

/**
 * Runs the words in a shell that notes their exit code; a signal to its group reaches them, and is survived by it. The
 * handler is the shell's own: what it starts has the default again.
 */
const holder = `trap : INT TERM HUP; "$@"; code=$?; printf '%s\\n' "$code" > "$XFER_EXIT.tmp" && mv "$XFER_EXIT.tmp" "$XFER_EXIT"`;

/** Starts a session, or finds the one that runs these words or has ended unread. Returns its folder. */
export function openSession(request: SessionRequest): string {
  const paths = pathsOf(join(request.folder, sessionId(request)));
  mkdirSync(request.folder, { recursive: true, mode: 0o700 });
  if (!existsSync(paths.session)) startSession(request, paths);
  return paths.dir;
}

function startSession(request: SessionRequest, paths: ReturnType<typeof pathsOf>): void {
  // Built under another name: whoever finds the session's folder finds a whole one, and of two that start it one wins.
  const building = pathsOf(`${paths.dir}.starting.${process.pid}`);
  mkdirSync(building.dir, { mode: 0o700 });
  const stdout = openSync(building.out, "ax", 0o600);
  const stderr = openSync(building.err, "ax", 0o600);
  try {
    writeFileDurable(building.session, "");
    renameSync(building.dir, paths.dir);
  } catch (error) {
    rmSync(building.dir, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST"].includes(errnoOf(error) ?? "")) return;
    throw error;
  }
  const pid = startDetached(["/bin/sh", "-c", holder, "xfer-session", ...request.words], {
    cwd: request.cwd,
    // What runs here is not handed over once more.
    env: { ...childEnvironment(), XFER_CLUSTER: "", XFER_EXIT: paths.exit },
    stdout,
    stderr,
  });
  closeSync(stdout);
  closeSync(stderr);
  const identity = identifyProcess(pid) ?? { pid, start: "" };
  const session: v.InferOutput<typeof sessionSchema> = {
    schema: "xfer.session.v1",
    words: [...request.words],
    cwd: request.cwd,
    ...ownTable(),
    process: identity,
    started_at: request.now.toISOString(),
  };
  writeFileDurable(paths.session, `${JSON.stringify(session)}\n`);
}

/** How often the outputs are looked at. */
const pollMs = 50;
/** How long a session may have no process written down: it is being started. */
const startMs = 30_000;

/**
 * Hands on all that a session has printed and prints, and returns its exit code. Throws, exit code 75, when it was killed
 * before it could note one; the session is then gone, and the same words start anew.
 */
export async function followSession(
  dir: string,
  sinks: { stdout: (bytes: Uint8Array) => Promise<void>; stderr: (bytes: Uint8Array) => Promise<void> },
  stop: AbortSignal,
): Promise<number> {
  const paths = pathsOf(dir);
  const out = new Tail(paths.out, sinks.stdout);
  const err = new Tail(paths.err, sinks.stderr);
  const began = Date.now();
  while (!stop.aborted) {
    // Looked at before the outputs: what it has printed is all there then.
    const code = readTextIfExists(paths.exit)?.trim();
    const runs = code === undefined ? runsOf(paths.session, began) : true;
    await out.handOn();
    await err.handOn();
    if (code !== undefined) return Number(code);
    if (!runs && !existsSync(paths.exit)) {
      removeSession(dir);
      throw new XferError(
        "the command was killed at the far end: run it again to go on",
        exitCodes.resumable,
      );
    }
    await sleep(pollMs, stop);
  }
  throw operationFailed("stopped looking at a command that goes on");
}

/** Whether a session's process runs; one that cannot be looked up from here counts as running. */
function runsOf(path: string, began: number): boolean {
  const file = readJsonFile(path, sessionSchema);
  if (file.kind !== "value") return Date.now() - began < startMs;
  return runsStill(file.value.process, file.value) ?? true;
}

/** Asks a session's processes to stop; false when it cannot be done from this host, which the session does not run on. */
export function stopSession(
  dir: string,
  signal: NodeJS.Signals,
): { host: string; sent: boolean } | undefined {
  const file = readJsonFile(pathsOf(dir).session, sessionSchema);
  if (file.kind !== "value") return undefined;
  const { process: identity, host } = file.value;
  const sent = runsStill(identity, file.value) === true;
  if (sent) signalProcessGroup(identity.pid, signal);
  return { host, sent };
}

/** Removes a session whose end was seen; one that runs stays. */
export function forgetSession(dir: string): void {
  if (existsSync(pathsOf(dir).exit)) removeSession(dir);
}

function removeSession(dir: string): void {
  // Under another name first: a session that is half removed is none.
  const gone = join(dirname(dir), `.gone.${process.pid}`);
  try {
    renameSync(dir, gone);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return;
    throw error;
  }
  rmSync(gone, { recursive: true, force: true });
}

/** What is added to a file. */
class Tail {
  readonly #path: string;
  readonly #sink: (bytes: Uint8Array) => Promise<void>;
  #offset = 0;

  constructor(path: string, sink: (bytes: Uint8Array) => Promise<void>) {
    this.#path = path;
    this.#sink = sink;
  }

  async handOn(): Promise<void> {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    const fd = openSync(this.#path, "r");
    try {
      for (;;) {
        const length = readSync(fd, buffer, 0, buffer.length, this.#offset);
        if (length === 0) return;
        this.#offset += length;
        await this.#sink(buffer.subarray(0, length));
      }
    } finally {
      closeSync(fd);
    }
  }
}
