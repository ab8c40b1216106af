import { parseLogLine, type RcloneStats } from "../lib/rclone/log.ts";
import { showsVariable } from "../lib/rclone/secrets.ts";
import { type Cause, type Known, StderrCause } from "../lib/rclone/telling.ts";
import { XferError } from "../lib/system/errors.ts";
import { stopReason } from "../lib/system/interrupt.ts";
import { forEachLine } from "../lib/system/lines.ts";
import { type Child, type ProcessExit, startChild } from "../lib/system/process.ts";
import { afterRunning } from "../lib/system/running-time.ts";
import type { SilenceLimits } from "./decide/silence.ts";
import type { ShardLog } from "./shard-log.ts";
import { type Hang, SilenceWatch, silenceTickMs } from "./silence.ts";

/** How long rclone may take to end after TERM; Slurm's own KillWait is 30 s by default. */
const stopGraceMs = 3_000;

/** With USR1 there is the whole lead before the time limit. */
const usr1GraceMs = 15_000;

/** How long output may still come from a group whose leader has ended. */
const drainMs = 5_000;

/** What is stopped to be started again has the time to take back what it has begun at the store. */
const retireGraceMs = 10_000;

/** What one run of rclone did. */
export interface PassResult {
  exit: ProcessExit;
  /** The last message about each object that failed. */
  objectErrors: Map<string, string>;
  /** Whether rclone itself said anything: when it did not, its container may not have started. */
  spoke: boolean;
  /** How it hung, when it was killed for that; "silent" also where the step or the container is gone, unknown to srun. */
  hang: Hang | undefined;
  /** Why it failed, as far as that is about no single object. */
  error: Cause | undefined;
}

/** One run of rclone over a list of objects. */
export interface PassOptions {
  argv: readonly string[];
  env: Record<string, string>;
  log: ShardLog;
  /** Whether the shard's log keeps the DEBUG lines that tell nothing of an object's way. */
  logsDebug: boolean;
  stop: AbortSignal;
  /** What tells a message about the container from others. */
  known?: Known;
  /** Ends rclone to start it again otherwise. */
  retire?: AbortSignal;
  silence: SilenceLimits;
  /** How often silence is looked for. */
  tickMs?: number;
  /** Another way to bring TERM to rclone than by its process group; gives why it did not work. */
  terminate?: (() => Promise<string | undefined>) | undefined;
  onStart: (child: Child) => void;
  /** rclone itself has said its first word. */
  onFirstWord?: () => void;
  onProven: (object: string, proof: "copied" | "unchanged") => void;
  onStats: (stats: RcloneStats) => void;
  /** A request failed and is made again: rclone's words, and the object where it names one. */
  onRetry: (message: string, object: string | undefined) => void;
}

/**
 * Runs rclone once and reads its log as it comes. When `stop` is aborted, rclone gets TERM, and KILL after a grace
 * time; its process group is gone when this returns or throws. Throws what a callback throws, and for a program that
 * is not there.
 */
export async function runPass(options: PassOptions): Promise<PassResult> {
  const { argv, env, log, stop } = options;
  const child = startChild(argv, { env, gather: "stderr" });
  const objectErrors = new Map<string, string>();
  const told = new StderrCause(options.known);
  const decoder = new TextDecoder();
  let spoke = false;
  let hang: Hang | undefined;
  let inFlight: readonly string[] = [];
  let callOffKill: (() => void) | undefined;
  let callOffDrain: (() => void) | undefined;
  const terminate = async (ownWay: boolean, graceMs: number) => {
    callOffKill ??= afterRunning(graceMs, () => child.signalGroup("SIGKILL"));
    if (ownWay && options.terminate) {
      const refused = await options.terminate();
      if (refused === undefined) return;
      log.note("error", refused);
    }
    child.signalGroup("SIGTERM");
  };
  const onStop = () => {
    const onTime = stopReason(stop) === "SIGUSR1";
    // Any other signal Slurm has sent to the step itself already.
    void terminate(onTime, onTime ? usr1GraceMs : stopGraceMs);
  };
  // A step that lives must end before the next one can start.
  const onRetire = () => void terminate(true, retireGraceMs);
  const { tickMs = silenceTickMs } = options;
  const watch = new SilenceWatch(options.silence, performance.now(), tickMs);
  const watchdog = setInterval(() => {
    const found = watch.tick(performance.now());
    if (found === undefined || hang !== undefined) return;
    hang = found;
    if (found === "silent") return child.signalGroup("SIGKILL");
    log.note("error", `rclone hangs (${found}): it is stopped`);
    if (found === "stuck") {
      for (const object of inFlight) objectErrors.set(object, "rclone made no progress with it: stopped");
    }
    // A step that lives must end before the next one can start.
    void terminate(true, stopGraceMs);
  }, tickMs);
  try {
    options.onStart(child);
    if (stop.aborted) onStop();
    else stop.addEventListener("abort", onStop, { once: true });
    options.retire?.addEventListener("abort", onRetire, { once: true });
    const reading = Promise.all([
      forEachLine(child.stderr, ({ bytes }) => {
        const line = decoder.decode(bytes);
        const event = parseLogLine(line);
        if ((event.kind !== "debug" || options.logsDebug) && !showsVariable(line)) log.raw(bytes);
        const isRclones = line.startsWith("{") || /^\d{4}\/\d\d\/\d\d /.test(line);
        if (isRclones && !spoke) options.onFirstWord?.();
        spoke ||= isRclones;
        if (event.kind !== "stats") watch.line(isRclones);
        if (event.kind === "copied" || event.kind === "unchanged") {
          objectErrors.delete(event.object);
          options.onProven(event.object, event.kind);
        } else if (event.kind === "object-error") objectErrors.set(event.object, event.message);
        else if (event.kind === "retry") options.onRetry(event.message, event.object);
        else if (!line.startsWith("{")) told.line(line);
        else if (event.kind === "error") told.rclone(event.message);
        else if (event.kind === "stats") {
          watch.stats(event.stats);
          inFlight = event.stats.inFlight;
          options.onStats(event.stats);
        }
      }),
      forEachLine(child.stdout, ({ bytes }) => log.raw(bytes)),
    ]);
    // A failing callback ends the reading: rclone must not go on unread.
    const exit = await Promise.race([child.exited, reading.then(() => child.exited)]);
    callOffDrain = afterRunning(drainMs, () => child.signalGroup("SIGKILL"));
    await reading;
    return { exit, objectErrors, spoke, hang, error: told.cause() };
  } finally {
    stop.removeEventListener("abort", onStop);
    options.retire?.removeEventListener("abort", onRetire);
    callOffKill?.();
    callOffDrain?.();
    clearInterval(watchdog);
    child.signalGroup("SIGKILL");
  }
}

/** One run of rclone in a pass. */
export interface PassRun {
  /** Whether it was given this record. */
  includes: (place: number) => boolean;
  /** How many records it was given. */
  records: number;
  /** A part of a pass that aborted, so that what stopped it is one record or some, and not all. */
  isPiece: boolean;
  /** Whether it proved anything. */
  proved: boolean;
  result: PassResult | XferError;
}

/** Whether a run of rclone was lost: its step or container is gone, and Slurm may still count it as running. */
export function fellSilent({ result }: Pick<PassRun, "result">): boolean {
  return !(result instanceof XferError) && result.hang === "silent";
}
