import { tellingMessage } from "../lib/rclone/failure-class.ts";
import { parseLogLine, type RcloneStats } from "../lib/rclone/log.ts";
import { showsVariable } from "../lib/rclone/secrets.ts";
import { stopReason } from "../lib/system/interrupt.ts";
import { forEachLine } from "../lib/system/lines.ts";
import { type Child, type ProcessExit, startChild } from "../lib/system/process.ts";
import { silenceMs } from "./decide.ts";
import type { ShardLog } from "./shard-log.ts";

/** How long rclone may take to end after TERM; Slurm's own KillWait is 30 s by default. */
const stopGraceMs = 3_000;
/** With USR1 there is the whole lead before the time limit. */
const usr1GraceMs = 15_000;
/** How long output may still come from a group whose leader has ended. */
const drainMs = 5_000;

/** How many messages are kept from the start and from the end of a pass. */
const errorsKept = 20;

/** What one run of rclone did. */
export interface PassResult {
  exit: ProcessExit;
  /** The last message about each object that failed. */
  objectErrors: Map<string, string>;
  /** Whether rclone itself said anything: when it did not, its container may not have started. */
  spoke: boolean;
  /** Whether its log stopped, or never began: the step or the container is gone, and srun may wait for it for ever. */
  fellSilent: boolean;
  /** The most telling message that is about no single object. */
  error: string | undefined;
}

/** One run of rclone over a list of objects. */
export interface PassOptions {
  argv: readonly string[];
  env: Record<string, string>;
  log: ShardLog;
  stop: AbortSignal;
  /** Another way to bring TERM to rclone than by its process group; gives why it did not work. */
  terminate?: (() => Promise<string | undefined>) | undefined;
  onStart: (child: Child) => void;
  onProven: (object: string, proof: "copied" | "unchanged") => void;
  onStats: (stats: RcloneStats) => void;
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
  const errors: string[] = [];
  const addError = (message: string) => {
    errors.push(message);
    if (errors.length > 2 * errorsKept) errors.splice(errorsKept, 1);
  };
  const decoder = new TextDecoder();
  let spoke = false;
  let fellSilent = false;
  let heardAt = Date.now();
  const watchdog = setInterval(() => {
    if (Date.now() - heardAt < silenceMs(spoke)) return;
    fellSilent = true;
    child.signalGroup("SIGKILL");
  }, 5_000);
  let killTimer: ReturnType<typeof setTimeout> | undefined;
  const onStop = async () => {
    const onTime = stopReason(stop) === "SIGUSR1";
    killTimer = setTimeout(() => child.signalGroup("SIGKILL"), onTime ? usr1GraceMs : stopGraceMs);
    // Any other signal Slurm has sent to the step itself already.
    if (onTime && options.terminate) {
      const refused = await options.terminate();
      if (refused === undefined) return;
      log.note("error", refused);
    }
    child.signalGroup("SIGTERM");
  };
  try {
    options.onStart(child);
    if (stop.aborted) void onStop();
    else stop.addEventListener("abort", onStop, { once: true });
    const reading = Promise.all([
      forEachLine(child.stderr, ({ bytes }) => {
        heardAt = Date.now();
        const line = decoder.decode(bytes);
        if (!showsVariable(line)) log.raw(bytes);
        const event = parseLogLine(line);
        spoke ||= line.startsWith("{") || /^\d{4}\/\d\d\/\d\d /.test(line);
        if (event.kind === "copied" || event.kind === "unchanged") {
          objectErrors.delete(event.object);
          options.onProven(event.object, event.kind);
        } else if (event.kind === "object-error") objectErrors.set(event.object, event.message);
        else if (event.kind === "error") addError(event.message);
        else if (event.kind === "stats") options.onStats(event.stats);
      }),
      forEachLine(child.stdout, ({ bytes }) => log.raw(bytes)),
    ]);
    // A failing callback ends the reading: rclone must not go on unread.
    const exit = await Promise.race([child.exited, reading.then(() => child.exited)]);
    const drained = setTimeout(() => child.signalGroup("SIGKILL"), drainMs);
    await reading;
    clearTimeout(drained);
    return { exit, objectErrors, spoke, fellSilent, error: tellingMessage(errors) };
  } finally {
    stop.removeEventListener("abort", onStop);
    clearTimeout(killTimer);
    clearInterval(watchdog);
    child.signalGroup("SIGKILL");
  }
}
