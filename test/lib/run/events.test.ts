import { expect, test } from "bun:test";
import { appendFileSync, readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { noteEvent, readEvents, runActions } from "../../../lib/run/events.ts";
import { runLayout } from "../../../lib/run/layout.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

test("what is done to a run is noted in order, with who did it; torn and foreign lines are passed over", () => {
  using dir = temporaryDirectory();
  const run = runLayout(dir.path);
  expect(readEvents(run)).toEqual([]);
  const now = new Date("2026-11-25T08:00:00Z");
  for (const action of runActions) noteEvent(run, { action, jobs: ["12"], detail: `was ${action}`, now });
  appendFileSync(run.events, '{"schema":"xfer.event.v9"}\nwords\n\n{"schema":"xfer.ev');
  const events = readEvents(run);
  expect(events.map(({ action }) => action)).toEqual([...runActions]);
  expect(events[0]).toEqual({
    ...{ schema: "xfer.event.v1", at: "2026-11-25T08:00:00.000Z", action: "submitted", jobs: ["12"] },
    ...{ by: `${userInfo().username}@${hostname()}`, detail: "was submitted" },
  });
  expect(readFileSync(run.events, "utf8").split("\n")[0]).toBe(JSON.stringify(events[0]));
});
