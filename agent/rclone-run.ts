import { type LogEvent, parseLogLine, type RcloneStats } from "../lib/rclone/log.ts";
import { showsVariable } from "../lib/rclone/secrets.ts";
import { type Cause, type Known, StderrCause } from "../lib/rclone/telling.ts";
import { sleep } from "../lib/system/interrupt.ts";
import { forEachLine } from "../lib/system/lines.ts";
import { type Child, type ProcessExit, startChild } from "../lib/system/process.ts";
import { afterRunning } from "../lib/system/running-time.ts";
import { stopWith } from "../lib/system/stop-child.ts";
import type { SilenceLimits } from "./decide/silence.ts";
import type { ShardLog } from "./shard-log.ts";
import { type Hang, SilenceWatch, silenceTickMs } from "./silence.ts";

/** How long rclone may take to end after TERM; Slurm's own KillWait is 30 s by default. */
const stopGraceMs = 3_000;

/** After USR1 the whole lead before the time limit is left, and a pause does not hurry. */
const unhurriedGraceMs = 15_000;

/** How long output may still come from a process group whose leader has ended. */
const drainMs = 5_000;

/** How long an rclone that ended by TERM, for which nobody here has asked, waits for the same signal to this agent. */
const ownTermMs = 1_000;

/** An rclone that is started again with other flags gets time to take back the uploads that it has begun. */
const retireGraceMs = 10_000;

/** How one rclone ended, and the failures that it reported. */
export interface RcloneResult {
  exit: ProcessExit;
  /** The last message about each object that failed. */
  objectErrors: Map<string, string>;
  /** Whether rclone itself said anything; if not, its container may not have started. */
  spoke: boolean;
  /** How it hung, if it was killed for that. A step or container that srun has lost without noticing is "silent" too. */
  hang: Hang | undefined;
  /** Why it failed, in the messages that are about no single object. */
  error: Cause | undefined;
}

/** One rclone over a list of objects, and who hears what it says. */
export interface RcloneOptions {
  argv: readonly string[];
  env: Record<string, string>;
  log: ShardLog;
  /** Whether the shard's log keeps DEBUG lines that do not tell what became of an object. */
  logsDebug: boolean;
  stop: AbortSignal;
  /** Facts that tell messages about the container from others. */
  known?: Known;
  /** Ends rclone so that it can be started again with other flags. */
  retire?: AbortSignal;
  silence: SilenceLimits;
  /** How often the watch for silence looks. */
  tickMs?: number;
  /** Brings TERM to rclone where a signal to its process group would not reach it; gives why that did not work. */
  terminate?: (() => Promise<string | undefined>) | undefined;
  onStart: (child: Child) => void;
  /** Called when rclone itself has said its first word. */
  onFirstWord?: () => void;
  onProven: (object: string, proof: "copied" | "unchanged") => void;
  onStats: (stats: RcloneStats) => void;
  /** Called when rclone repeats a request, with its message and the object if the message names one. */
  onRetry: (message: string, object: string | undefined) => void;
}

/**
 * Runs rclone once and reads its log as it comes. When `stop` is aborted, rclone gets TERM, and KILL after a grace
 * time; its process group is gone when this returns or throws. Throws whatever a callback throws, and an XferError when
 * the program is not there.
 */
export async function runRclone(options: RcloneOptions): Promise<RcloneResult> {
  const { argv, env, log, stop } = options;
  const child = startChild(argv, { env, gather: "stderr" });
  const reader = new LogReader(options);
  const hung = new AbortController();
  const watchdog = setInterval(() => {
    const hang = reader.newHang();
    if (hang === "silent") child.signalGroup("SIGKILL");
    else if (hang !== undefined) hung.abort();
  }, options.tickMs ?? silenceTickMs);
  let callOffDrain: (() => void) | undefined;
  try {
    options.onStart(child);
    const ask = () => void terminate(options, child);
    using _stop = stopWith(child, stop, (reason) =>
      // Slurm sends every other signal to the step itself.
      reason === "SIGUSR1" || reason === "paused"
        ? { graceMs: unhurriedGraceMs, ask }
        : { graceMs: stopGraceMs },
    );
    // A step that is alive must end before the next one can start.
    using _hung = stopWith(child, hung.signal, () => ({ graceMs: stopGraceMs, ask }));
    const retire = options.retire ?? new AbortController().signal;
    using _retire = stopWith(child, retire, () => ({ graceMs: retireGraceMs, ask }));
    const reading = Promise.all([
      forEachLine(child.stderr, ({ bytes }) => reader.line(bytes)),
      forEachLine(child.stdout, ({ bytes }) => log.raw(bytes)),
    ]);
    // A failing callback ends the reading: rclone must not go on unread.
    const exit = await Promise.race([child.exited, reading.then(() => child.exited)]);
    callOffDrain = afterRunning(drainMs, () => child.signalGroup("SIGKILL"));
    await reading;
    // Slurm sends TERM to every process of a task: rclone's end may be seen before the agent's own signal is.
    if (isTerminated(exit) && !hung.signal.aborted && !retire.aborted) await sleep(ownTermMs, stop);
    return reader.result(exit);
  } finally {
    callOffDrain?.();
    clearInterval(watchdog);
    child.signalGroup("SIGKILL");
  }
}

const isTerminated = ({ code, signal }: ProcessExit): boolean => signal === "SIGTERM" || code === 143;

/** Brings TERM to rclone, by its process group where there is no better way or that one does not work. */
async function terminate({ log, terminate }: RcloneOptions, child: Child): Promise<void> {
  const refused = terminate && (await terminate());
  if (terminate && refused === undefined) return;
  if (refused !== undefined) log.note("error", refused);
  child.signalGroup("SIGTERM");
}

/** Reads what one rclone says, hands it on, and keeps what its result is made of. */
class LogReader {
  readonly #options: RcloneOptions;
  readonly #objectErrors = new Map<string, string>();
  readonly #told: StderrCause;
  readonly #watch: SilenceWatch;
  readonly #decoder = new TextDecoder();
  #spoke = false;
  #hang: Hang | undefined;
  #inFlight: readonly string[] = [];

  constructor(options: RcloneOptions) {
    this.#options = options;
    this.#told = new StderrCause(options.known);
    this.#watch = new SilenceWatch(options.silence, performance.now(), options.tickMs ?? silenceTickMs);
  }

  /** Takes a line of rclone's stderr: a line of its log, or of what srun or a container prints beside it. */
  line(bytes: Uint8Array): void {
    const { log, logsDebug, onFirstWord } = this.#options;
    const line = this.#decoder.decode(bytes);
    const event = parseLogLine(line);
    if ((event.kind !== "debug" || logsDebug) && !showsVariable(line)) log.raw(bytes);
    const isRclones = line.startsWith("{") || /^\d{4}\/\d\d\/\d\d /.test(line);
    if (isRclones && !this.#spoke) onFirstWord?.();
    this.#spoke ||= isRclones;
    if (event.kind !== "stats") this.#watch.line(isRclones);
    this.#take(event, line);
  }

  #take(event: LogEvent, line: string): void {
    const { onProven, onRetry, onStats } = this.#options;
    if (event.kind === "copied" || event.kind === "unchanged") {
      this.#objectErrors.delete(event.object);
      onProven(event.object, event.kind);
    } else if (event.kind === "object-error") this.#objectErrors.set(event.object, event.message);
    else if (event.kind === "retry") onRetry(event.message, event.object);
    else if (!line.startsWith("{")) this.#told.line(line);
    else if (event.kind === "error") this.#told.rclone(event.message);
    else if (event.kind === "stats") {
      this.#watch.stats(event.stats);
      this.#inFlight = event.stats.inFlight;
      onStats(event.stats);
    }
  }

  /** Looks whether rclone hangs; gives how, if this look is the first to find it. Call it every tick. */
  newHang(): Hang | undefined {
    const found = this.#watch.tick(performance.now());
    if (found === undefined || this.#hang !== undefined) return undefined;
    this.#hang = found;
    if (found === "silent") return found;
    this.#options.log.note("error", `rclone hangs (${found}): it is stopped`);
    if (found === "stuck") {
      const message = "rclone made no progress with it: stopped";
      for (const object of this.#inFlight) this.#objectErrors.set(object, message);
    }
    return found;
  }

  result(exit: ProcessExit): RcloneResult {
    return {
      exit,
      objectErrors: this.#objectErrors,
      spoke: this.#spoke,
      hang: this.#hang,
      error: this.#told.cause(),
    };
  }
}
