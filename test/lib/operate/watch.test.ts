import { expect, test } from "bun:test";
import { join } from "node:path";
import { watchRun } from "../../../lib/operate/watch.ts";
import { runLayout } from "../../../lib/run/layout.ts";
import { type ControlState, writeControl } from "../../../lib/run/state/control.ts";
import { stopSignals, watchForStop } from "../../../lib/system/interrupt.ts";
import { temporaryDirectory } from "../../stage/harness.ts";
import { writeSyntheticRun } from "../../stage/synthetic-run.ts";

test("a pause of the run that is waited for is told, and the waiting goes on", async () => {
  using temp = temporaryDirectory();
  const runDir = join(temp.path, "run");
  writeSyntheticRun(runDir, { numShards: 2, kinds: ["waiting", "done"], now: new Date() });
  const pause: ControlState = {
    ...{ schema: "xfer.control.v1", wanted: "pause", at: "2026-05-04T10:20:30Z", by: "ada@login" },
  };
  writeControl(runLayout(runDir).control, pause);
  const stop = watchForStop(stopSignals);
  const told: ControlState[] = [];
  let looks = 0;
  const watched = await watchRun({
    ...{ runDir, jobId: "12", stop: stop.signal, onPause: (one: ControlState) => void told.push(one) },
    onProgress: () => {
      if (++looks === 2) stop.stop("SIGTERM");
    },
  }).catch((error: unknown) => error);
  stop.release();
  expect([String(watched), looks, told]).toEqual([expect.stringContaining("job 12 goes on"), 2, [pause]]);
});
