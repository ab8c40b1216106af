import { refusedVariables } from "../lib/rclone/flag-variables.ts";
import type { Cause } from "../lib/rclone/telling.ts";
import { notShownText } from "../lib/rclone/user-flags.ts";
import { XferError } from "../lib/system/errors.ts";
import { formatObjects } from "../lib/system/units.ts";
import type { AttemptParts } from "./attempt-parts.ts";
import type { AttemptResult } from "./attempt-result.ts";
import { type CutMemory, runWithCuts } from "./cut-pass.ts";
import { decideAfterPass, type PassDecision } from "./decide/after-pass.ts";
import { unsettledClass } from "./decide/unproven.ts";
import { lookFirst } from "./first-look.ts";
import { lostStep, type PassPart } from "./pass-part.ts";
import { waitForPass } from "./pass-wait.ts";
import { leaveOutUnreadable } from "./source-check.ts";
import type { Unproven } from "./worklist.ts";

/**
 * Makes one attempt at a shard: pass after pass of rclone over the records that the journal does not prove, until all are
 * proven, no pass can prove more, the passes are spent, or the task is stopped. Ends the parts that run by themselves.
 */
export async function runAttempt(parts: AttemptParts): Promise<AttemptResult> {
  const { heartbeat, settler, worklist, taskStop, log } = parts;
  try {
    tellSetup(parts);
    const look = await lookFirst(parts);
    if (look.kind === "stopped") return look;
    if (look.kind === "failed") return failedWithAll(parts, look.cause, !parts.copy.spoke);
    const { version } = look;
    const cuts: CutMemory = { aborted: false, isGeneral: false };
    for (let pass = 1; ; pass++) {
      const copied = await copyOnce(parts, { pass, version, cuts });
      heartbeat.check();
      const unsettled = await settler?.settle(taskStop);
      if (unsettled !== undefined) return failedUnsettled(parts, unsettled);
      if (taskStop.aborted) return { kind: "stopped" };
      const unproven = await worklist.explain(copied);
      const next = afterPass(parts, pass, copied, unproven);
      if (next.kind === "done") return next;
      // A whole pass is a chance to prove something, however soon it ended.
      parts.ledger.noteCopying();
      if (next.kind === "fail") return failed(parts, copied, unproven);
      const { failure } = unproven;
      const left = formatObjects(unproven.records.length - unproven.settled);
      log.say(`${left} not proven (${failure}): pass ${pass + 1} in ${next.waitSeconds}s`);
      const message = unproven.records.find((record) => record.class === failure)?.message ?? failure;
      await waitForPass(parts, next.waitSeconds, { class: failure, message });
      heartbeat.check();
      if (taskStop.aborted) return { kind: "stopped" };
    }
  } finally {
    const throttled = parts.throttle.summary();
    if (throttled !== undefined) log.say(throttled);
    settler?.end();
    heartbeat.end();
  }
}

/** Tells the log which of the user's words rclone does not get, and what the destination is compared for. */
function tellSetup({ setup, log }: AttemptParts): void {
  for (const [name, reason] of refusedVariables(setup.env)) {
    log.say(`${name} is kept from rclone: ${reason}`);
  }
  const { comparesFor, notShown } = setup.flags;
  const left = notShownText("rclone_flags", notShown);
  if (left) log.say(left);
  if (comparesFor.length > 0) log.say(`the destination is compared for ${comparesFor.join(", ")}`);
}

/** Makes one pass: copies first the objects that are not at the destination, then those that may be there. */
async function copyOnce(
  parts: AttemptParts,
  facts: { pass: number; version: readonly [number, number] | undefined; cuts: CutMemory },
): Promise<PassPart[]> {
  const { worklist, records, setup, stop, log } = parts;
  const { pass, version, cuts } = facts;
  const note = (message: string) => log.say(message);
  const copied: PassPart[] = [];
  worklist.startPass();
  await leaveOutUnreadable({ root: setup.sourcePath, records, worklist, stop, note });
  for (const mayBeThere of worklist.mayBeThere ? [false, true] : [false]) {
    // Where a step is lost, another could wait for it without end.
    if (stop.aborted || copied.some(lostStep)) break;
    const made = await runWithCuts({
      ...{ worklist, stop, note },
      count: records.count,
      group: worklist.ofGroup(mayBeThere),
      copy: (includes, isPiece) => parts.copy.copyPart(includes, { pass, mayBeThere, isPiece, version }),
      memory: cuts,
      isLastPass: pass >= setup.flags.passes,
    });
    copied.push(...made);
    parts.journal.sync();
  }
  return copied;
}

function afterPass(
  { throttle, setup }: AttemptParts,
  pass: number,
  copied: readonly PassPart[],
  { records, settled, unmentioned, failure }: Unproven,
): PassDecision {
  throttle.endPass(records.filter((record) => record.class === "throttled").length);
  const { passes, passWaitSeconds } = setup.flags;
  return decideAfterPass({
    pass,
    // Another pass on this node could wait for a step that Slurm still counts as running.
    passes: copied.some(lostStep) ? pass : passes,
    passWaitSeconds,
    ...{ unproven: records.length, settled, unmentioned, failure },
  });
}

function failed(
  { throttle, copy }: AttemptParts,
  copied: readonly PassPart[],
  { records, failure, final }: Unproven,
): AttemptResult {
  const last = copied.at(-1)?.result;
  return {
    kind: "failed",
    class: failure,
    final,
    exitCode: last === undefined || last instanceof XferError ? null : last.exit.code,
    unproven: records,
    transfers: throttle.lowered,
    neverStarted: !copy.spoke,
  };
}

/** Fails the attempt for one reason, which every record that is not proven gets. */
function failedWithAll(
  { worklist, throttle }: AttemptParts,
  cause: Cause,
  neverStarted: boolean,
): AttemptResult {
  return {
    kind: "failed",
    class: cause.class,
    final: cause.final,
    exitCode: null,
    unproven: worklist.allUnproven(cause),
    transfers: throttle.lowered,
    neverStarted,
  };
}

/** Fails the attempt since copied data did not reach stable storage; the journal has dropped what was not settled. */
function failedUnsettled(parts: AttemptParts, message: string): AttemptResult {
  parts.log.note("error", message);
  parts.progress.count(parts.worklist);
  return failedWithAll(parts, { class: unsettledClass(message), message, final: false }, false);
}
