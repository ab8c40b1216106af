import { sleep } from "../lib/system/interrupt.ts";
import type { Hindrances } from "./hindrance.ts";

/** Waits for the next pass, unless the attempt is stopped, and lets .progress say why. */
export async function waitForPass(
  { hindrances, stop }: { hindrances: Hindrances; stop: AbortSignal },
  seconds: number,
  why: Parameters<Hindrances["wait"]>[0],
): Promise<void> {
  const now = Date.now();
  if (seconds > 0) hindrances.wait(why, now, now + seconds * 1000);
  await sleep(seconds * 1000, stop);
}
