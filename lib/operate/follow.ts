import { sleep } from "../system/interrupt.ts";
import { type Quiet, quietStep } from "./quiet.ts";
import type { RunLook } from "./run-look.ts";
import type { RunReading } from "./status.ts";

/** How often a run is looked at; more seldom where a look takes long, so that looking takes a tenth of the time. */
const pollMs = 2_000;
const share = 10;

interface FollowOptions {
  /** Aborted to follow the run no longer. */
  stop: AbortSignal;
  /** The time of the clock at which it is followed no longer. */
  untilMs?: number;
  onReading: (reading: RunReading) => void | Promise<void>;
}

/** Why a run was followed no longer. */
export type FollowEnd = "ended" | "timeout" | "stopped";

/** Looks at a run until nothing of it goes on by itself, the time is over, or it is asked to stop. */
export async function followRun(
  look: RunLook,
  { stop, untilMs = Number.POSITIVE_INFINITY, onReading }: FollowOptions,
): Promise<{ reading: RunReading; end: FollowEnd }> {
  let quiet: Quiet | undefined;
  for (let isFirst = true; ; isFirst = false) {
    const beganMs = Date.now();
    const reading = await look.look();
    const nowMs = Date.now();
    const step = quietStep(quiet, reading.status, { ms: nowMs, answers: look.answers });
    quiet = step.quiet;
    await onReading(reading);
    if (step.hasEnded) return { reading, end: "ended" };
    if (stop.aborted) return { reading, end: "stopped" };
    if (nowMs >= untilMs) return { reading, end: "timeout" };
    // The first look reads every file; only the later ones tell how long one takes.
    const pauseMs = isFirst ? pollMs : Math.max(pollMs, share * (nowMs - beganMs));
    await sleep(Math.min(pauseMs, untilMs - nowMs), stop);
    if (stop.aborted) return { reading, end: "stopped" };
  }
}
