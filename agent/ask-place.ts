import { inquiryCommand } from "../lib/listing/request.ts";
import type { Side } from "../lib/rclone/hindrance.ts";
import { inquire } from "../lib/rclone/inquiry.ts";
import { stepEnvironment } from "../lib/rclone/runtime.ts";
import type { RunLayout } from "../lib/run/layout.ts";
import { listingSetupOf } from "../lib/verify/verification.ts";
import type { CopySetup } from "./copy-setup.ts";
import { placeRequest } from "./place-request.ts";

/** Asks the source or the destination: what rclone says of a place that does not answer at once, undefined if it does. */
export type AskPlace = (side: Side, stop: AbortSignal) => Promise<string | undefined>;

/** Asks a place of the run by a second rclone, which gives up at once; undefined also where that would cost too much. */
export async function askPlace(
  run: RunLayout,
  { config, kinds, env }: CopySetup,
  side: Side,
  stop: AbortSignal,
): Promise<string | undefined> {
  const kind = side === "source" ? kinds.source : kinds.dest;
  const argv = inquiryCommand(listingSetupOf(run, config, stop), placeRequest(config, side, kind));
  return argv && inquire(argv, stepEnvironment(config.runtime, env), stop);
}
