import type { LeaseHolder } from "../../lib/operate/lease.ts";
import type { Bounds } from "../../lib/operate/throttle-law.ts";
import { visibleText } from "../../lib/system/visible-text.ts";

/** How the throttling of a run that is watched stands. */
export type Throttling =
  | { kind: "beginning" }
  | { kind: "held"; by: Pick<LeaseHolder, "by" | "process" | "taken_at"> }
  | {
      kind: "on";
      bounds: Bounds;
      /** The last change; undefined before the first. */
      change: { limit: number; reason: string; at: Date } | undefined;
      /** Why the last look did nothing; undefined when it did what was called for. */
      problem: string | undefined;
    }
  | { kind: "ended" | "lost" }
  | { kind: "failed"; problem: string };

/** Whether a run is throttled by itself, by whom, and the last change with its reason. */
export function throttlingText(state: Throttling): string {
  switch (state.kind) {
    case "beginning":
      return "by itself: beginning";
    case "held": {
      const { by, process, taken_at } = state.by;
      return `not by this one: ${visibleText(by)} (pid ${process.pid}) does it since ${visibleText(taken_at)}`;
    }
    case "on": {
      const { bounds, change, problem } = state;
      const at = change?.at.toISOString().slice(11, 16);
      const last = change ? `; ${change.limit} since ${at} UTC: ${change.reason}` : "";
      const failed = problem === undefined ? "" : `; the limit stays: ${problem}`;
      return `by itself, ${bounds.min} to ${bounds.max} tasks at a time${last}${failed}`;
    }
    case "ended":
      return "by itself: nothing of the run is in the queue any more";
    case "lost":
      return "not by this one any more: another process has taken it over";
    case "failed":
      return `not: ${state.problem}`;
  }
}
