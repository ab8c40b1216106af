import { followRun } from "../../lib/operate/follow.ts";
import type { RunLook } from "../../lib/operate/run-look.ts";
import type { ShardRow } from "../../lib/operate/shard-rows.ts";
import type { RunReading, RunStatus } from "../../lib/operate/status.ts";
import { type StopReason, type StopWatch, stopReason } from "../../lib/system/interrupt.ts";
import { log } from "../../lib/system/log.ts";
import { printJson, printText } from "../view/print.ts";
import { Screen } from "../view/screen.ts";
import { shardsScreen } from "../view/shard-list.ts";
import { statusJson, statusLine, statusLines } from "../view/status.ts";
import type { ThrottleWatch } from "./throttling.ts";

/** How often a line is printed where nobody watches a terminal. */
const lineMs = 60_000;

/** How a run is watched. */
interface WatchSetup {
  watch: StopWatch;
  isColored: boolean;
  json: boolean;
  /** The shards that are listed, of a reading; undefined where the run as a whole is shown. */
  rowsOf: ((reading: RunReading) => ShardRow[]) | undefined;
  /** What throttles the run meanwhile; undefined where that is not asked for. */
  throttling: ThrottleWatch | undefined;
}

/** How it ended: the last status, and the signal that ended it; none when a person left, or the run has ended. */
interface Watched {
  status: RunStatus;
  reason: StopReason | undefined;
}

/** Shows a run on the terminal until it has ended or a person leaves; then the terminal is as it was. */
export async function watchOnScreen(look: RunLook, setup: WatchSetup): Promise<Watched> {
  const { watch, isColored, rowsOf, throttling } = setup;
  let shown: RunReading | undefined;
  let hasLeft = false;
  const draw = async () => {
    if (!shown) return;
    const room = { ...screen.room, isColored };
    const throttle = throttling?.line;
    await screen.draw(
      rowsOf
        ? shardsScreen(shown.status, rowsOf(shown), room, throttle)
        : statusLines(shown.status, room, throttle),
    );
  };
  using screen = new Screen({
    onKey: (key) => {
      hasLeft = key === "quit";
      watch.stop("SIGINT");
    },
    onResize: () => void draw().catch(() => watch.stop("SIGHUP")),
  });
  const { reading } = await followRun(look, {
    stop: watch.signal,
    onReading: async (reading) => {
      shown = reading;
      throttling?.look();
      await draw();
    },
  });
  return { status: reading.status, reason: hasLeft ? undefined : stopReason(watch.signal) };
}

/** Prints how a run stands, a line a minute and one at its end. */
export async function watchInLines(look: RunLook, setup: WatchSetup): Promise<Watched> {
  const tell = async ({ status }: RunReading) => {
    if (setup.json) await printJson(statusJson(status));
    else await printText(`${statusLine(status)}\n`);
  };
  let toldMs = Number.NEGATIVE_INFINITY;
  let told: RunReading | undefined;
  const { reading } = await followRun(look, {
    stop: setup.watch.signal,
    onReading: async (one) => {
      setup.throttling?.look();
      const said = setup.throttling?.news();
      if (said !== undefined) log.info(said);
      if (Date.now() - toldMs < lineMs) return;
      toldMs = Date.now();
      told = one;
      await tell(one);
    },
  });
  if (reading !== told) await tell(reading);
  return { status: reading.status, reason: stopReason(setup.watch.signal) };
}
