import { invalidInput } from "../system/errors.ts";
import { quoteWord } from "../system/shell-words.ts";
import { visibleText } from "../system/visible-text.ts";
import type { RunLayout } from "./layout.ts";
import { type ControlState, readControl } from "./state/control.ts";

/** How often agents and executors look what the operator wants. */
const lookMs = 2_000;

/**
 * The pause of a run; undefined while the run is to go on. A state/control that cannot be read pauses nothing: the operator
 * is told of it where he looks.
 */
export function pauseOf({ control }: RunLayout): ControlState | undefined {
  try {
    const found = readControl(control);
    return found.kind === "value" && found.value.wanted === "pause" ? found.value : undefined;
  } catch {
    // The file system does not answer now: the next look does.
    return undefined;
  }
}

/** Looks for a pause at once and then every 2 s, and calls `onPause` once when there is one. Dispose of it at the end. */
export function watchForPause(run: RunLayout, onPause: () => void): Disposable {
  let timer: ReturnType<typeof setInterval> | undefined;
  const end = () => clearInterval(timer);
  const look = () => {
    if (pauseOf(run) === undefined) return;
    end();
    onPause();
  };
  timer = setInterval(look, lookMs);
  look();
  return { [Symbol.dispose]: end };
}

/** Throws invalid input while the run is paused: what would start its agents starts none. */
export function requireUnpaused(run: RunLayout): void {
  const pause = pauseOf(run);
  if (pause === undefined) return;
  const since = visibleText(`since ${pause.at} by ${pause.by}`);
  throw invalidInput(
    `${run.dir}: the run is paused ${since}: go on with xfer resume --run-dir ${quoteWord(run.dir)}`,
  );
}
