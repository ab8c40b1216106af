import { appendFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import * as v from "valibot";
import { readTextIfExists } from "../system/durable.ts";
import { writing } from "../system/write-error.ts";
import type { RunLayout } from "./layout.ts";

/** What people and controllers do to a run. */
export const runActions = [
  "submitted",
  "retried",
  "cancelled",
  "paused",
  "resumed",
  "throttled",
  "verified",
] as const;

/** The schema of a line of events.jsonl. */
export const eventSchema = v.object({
  schema: v.literal("xfer.event.v1"),
  at: v.string(),
  action: v.picklist(runActions),
  /** user@host. */
  by: v.string(),
  /** The Slurm jobs that it was done to. */
  jobs: v.array(v.string()),
  /** What was done and why, in a sentence for people. */
  detail: v.string(),
});

/** A line of events.jsonl. */
export type RunEvent = v.InferOutput<typeof eventSchema>;

/** Appends a line to events.jsonl, schema xfer.event.v1: what was done to the run, by the user of this process, now. */
export function noteEvent(
  run: RunLayout,
  {
    action,
    jobs,
    detail,
    now,
  }: { action: RunEvent["action"]; jobs: readonly string[]; detail: string; now: Date },
): void {
  const by = `${userName()}@${hostname()}`;
  const event = { schema: "xfer.event.v1", at: now.toISOString(), action, by, jobs: [...jobs], detail };
  writing(run.events, () => appendFileSync(run.events, `${JSON.stringify(event)}\n`));
}

/** The user's name, or the number of one whom this host does not know, as on a node without the site's directory. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}

/** The events of a run, oldest first. A torn or foreign line is passed over. */
export function readEvents(run: RunLayout): RunEvent[] {
  return (readTextIfExists(run.events) ?? "").split("\n").flatMap((line) => {
    try {
      const result = v.safeParse(eventSchema, JSON.parse(line));
      return result.success ? [result.output] : [];
    } catch {
      return [];
    }
  });
}
