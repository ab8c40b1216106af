import type { StopReason } from "./interrupt.ts";
import type { Child } from "./process.ts";
import { afterRunning } from "./running-time.ts";

/** How a child is stopped. */
export interface StopManner {
  /** How long the child may take to end before its group is killed, in time that this process itself runs. */
  graceMs: number;
  /** Asks the child to end; by default SIGTERM is sent to its process group. */
  ask?: () => void;
}

/** The watch over one child; dispose of it when the child has ended. */
export interface ChildStop extends Disposable {
  /** Stops the child whether or not the signal was aborted. */
  stop(): void;
}

/**
 * Stops a child once `signal` is aborted, or at once if it is aborted already: the child is asked to end, and its group
 * is killed when it still runs after the grace. The child is asked once, however often it is told to stop. Disposing
 * takes the listener off the signal and calls the kill off.
 */
export function stopWith(
  child: Pick<Child, "signalGroup">,
  signal: AbortSignal,
  manner: (reason: StopReason | undefined) => StopManner,
): ChildStop {
  let callOffKill: (() => void) | undefined;
  const stop = () => {
    if (callOffKill) return;
    const { graceMs, ask } = manner(signal.aborted ? signal.reason : undefined);
    callOffKill = afterRunning(graceMs, () => child.signalGroup("SIGKILL"));
    if (ask) ask();
    else child.signalGroup("SIGTERM");
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return {
    stop,
    [Symbol.dispose]: () => {
      signal.removeEventListener("abort", stop);
      callOffKill?.();
    },
  };
}
