import { autoThrottle, type ThrottleTick, throttleLookSeconds } from "../lib/operate/auto-throttle.ts";
import { throttleRun } from "../lib/operate/throttle.ts";
import { type ExitCode, exitCodes, invalidInput, operationFailed } from "../lib/system/errors.ts";
import { sleep, stopExitCode, stopReason, stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import type { OptionsOf } from "./flags/flag.ts";
import { flag, noLimit } from "./flags/make.ts";
import { limitBounds } from "./flags/operate.ts";
import { jsonFlag } from "./flags/output.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { printJson, printText } from "./view/print.ts";
import {
  autoBeginsText,
  autoEndedText,
  autoJson,
  heldText,
  throttledJson,
  throttledText,
  tickText,
} from "./view/steered.ts";

const throttleFlags = {
  "run-dir": runDirFlag,
  auto: flag.on({
    group: "slurm",
    common: true,
    description: "follow what the stores take, until the run ends",
  }),
  min: flag.whole(1, noLimit, {
    group: "slurm",
    defaultText: "1",
    description: "the fewest tasks at a time (--auto)",
  }),
  max: flag.whole(1, noLimit, {
    group: "slurm",
    defaultText: "the run's --array-concurrency",
    description: "the most tasks at a time (--auto)",
  }),
  every: flag.whole(1, 3_600, {
    group: "slurm",
    valueHint: "SECONDS",
    defaultText: String(throttleLookSeconds),
    description: "look at the heartbeats and the queue once in so many seconds (--auto)",
  }),
  cluster: clusterFlag,
  json: jsonFlag,
};

type Input = OptionsOf<typeof throttleFlags>;

/** What a throttling does. */
type ThrottleOptions =
  | { how: "once"; tasks: number }
  | { how: "auto"; min: number; max: number | undefined; everyMs: number };

/** What the words ask for. Throws invalid input for words that contradict each other. */
export function optionsOf(input: Input, operands: readonly string[]): ThrottleOptions {
  const { auto, min, max, every } = input;
  const [word] = operands;
  if (auto) {
    if (word !== undefined)
      throw invalidInput(`--auto finds the limit by itself: leave out ${JSON.stringify(word)}`);
    return { how: "auto", ...limitBounds(min, max), everyMs: (every ?? throttleLookSeconds) * 1_000 };
  }
  const stray = Object.entries({ min, max, every }).find(([, value]) => value !== undefined)?.[0];
  if (stray !== undefined) throw invalidInput(`--${stray} is for --auto`);
  if (word === undefined) throw invalidInput("say how many tasks may run at a time, or --auto");
  if (!/^\d{1,9}$/.test(word) || Number(word) === 0) {
    throw invalidInput(
      `${JSON.stringify(word)} is no number of tasks: a whole number of at least 1 is wanted`,
    );
  }
  return { how: "once", tasks: Number(word) };
}

export default command({
  name: "xfer throttle",
  description: "Sets how many tasks of a run's arrays run at a time, or finds it by itself",
  details: [
    "What runs beyond the limit goes on; fewer tasks start after it. --auto raises the limit step by step while tasks wait " +
      "and the stores refuse nothing, lowers it by a third when they do, and notes each change in events.jsonl. One process " +
      "does so for a run: a second one says who it is, and ends.",
  ],
  examples: [
    { says: "Eight tasks at a time", line: "xfer throttle 8 --run-dir run" },
    { says: "Follow what the stores take", line: "xfer throttle --auto --min 4 --max 64 --run-dir run" },
  ],
  operands: { usage: "[N]", most: 1 },
  flags: throttleFlags,
  async run(input, { operands }) {
    const options = optionsOf(input, operands);
    const { "run-dir": runDir, json } = input;
    if (options.how === "auto") return await throttleByItself(runDir, json, options);
    const jobs = await throttleRun(runDir, options.tasks, new Date());
    if (json) await printJson(throttledJson(runDir, options.tasks, jobs));
    else await printText(throttledText(runDir, options.tasks, jobs));
    return exitCodes.done;
  },
});

async function throttleByItself(
  runDir: string,
  json: boolean,
  { min, max, everyMs }: ThrottleOptions & { how: "auto" },
): Promise<ExitCode> {
  const { signal: stop } = watchForStop(stopSignals);
  const controller = await autoThrottle({ runDir, min, max, now: new Date(), stop });
  const reason = stopReason(stop);
  if (controller === undefined) return reason ? stopExitCode(reason) : exitCodes.failed;
  if ("heldBy" in controller) {
    if (json) await printJson(autoJson(runDir, controller));
    else await printText(heldText(runDir, controller.heldBy));
    return exitCodes.done;
  }
  log.info(autoBeginsText(controller));
  try {
    let changes = 0;
    let tick: ThrottleTick;
    for (;;) {
      tick = await controller.tick(new Date());
      if (tick.kind === "changed") changes++;
      const said = tickText(tick);
      if (said !== undefined) log[tick.kind === "failed" ? "warn" : "info"](said);
      if (tick.kind === "ended" || tick.kind === "lost" || stop.aborted) break;
      await sleep(everyMs, stop);
      if (stop.aborted) break;
    }
    if (json) await printJson(autoJson(runDir, { tick, changes }));
    else await printText(autoEndedText(runDir, tick, changes));
    if (tick.kind === "lost") throw operationFailed("another process has taken the throttling over");
    const ended = stopReason(stop);
    return ended && tick.kind !== "ended" ? stopExitCode(ended) : exitCodes.done;
  } finally {
    controller.end();
  }
}
