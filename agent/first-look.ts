import { untransferableReason } from "../lib/rclone/addressable.ts";
import { bucketOf } from "../lib/rclone/bucket.ts";
import type { Cause } from "../lib/rclone/telling.ts";
import { formatObjects } from "../lib/system/units.ts";
import type { AttemptParts } from "./attempt-parts.ts";
import type { CopySetup } from "./copy-setup.ts";
import { decideAfterPass } from "./decide/after-pass.ts";
import { readLook } from "./decide/first-look.ts";
import type { Look } from "./destination.ts";
import { waitForPass } from "./pass-wait.ts";

type Version = readonly [number, number] | undefined;

/** How an attempt goes on after the first look. */
export type AfterLook =
  | { kind: "copy"; version: Version }
  | { kind: "stopped" }
  | { kind: "failed"; cause: Cause };

/**
 * Looks at the destination before the first copy, so that objects that are there already need not be copied. A look that
 * fails is repeated as a pass is. Where a flag of the user's makes rclone compare every object, the destination is not
 * listed; only its bucket is looked for.
 */
export async function lookFirst(parts: AttemptParts): Promise<AfterLook> {
  const { worklist, heartbeat, hindrances, log, setup } = parts;
  if (worklist.unproven === 0) return { kind: "copy", version: undefined };
  if (setup.flags.comparesDestination && !needsBucket(setup)) {
    await leaveOutUntransferable(parts, undefined);
    return { kind: "copy", version: undefined };
  }
  for (let pass = 1; ; pass++) {
    const look = await parts.examineDestination((found) => hindrances.look(found, Date.now()));
    heartbeat.check();
    if (look.kind === "stopped") return look;
    if (look.kind === "seen") {
      const version = look.destination.version ?? undefined;
      await leaveOutUntransferable(parts, version);
      if (!setup.flags.comparesDestination) take(parts, look);
      return { kind: "copy", version };
    }
    log.note("error", look.message);
    const { passes, passWaitSeconds } = setup.flags;
    const next = decideAfterPass({
      ...{ pass, passes, passWaitSeconds },
      ...{ unproven: worklist.unproven, settled: 0, unmentioned: 0, failure: look.class },
    });
    if (next.kind !== "pass") return { kind: "failed", cause: look };
    log.say(`looking again in ${next.waitSeconds}s (${look.class})`);
    const why = { class: look.class, message: look.message, side: "destination" } as const;
    await waitForPass(parts, next.waitSeconds, why);
  }
}

/** Whether the destination lies in a bucket, or is to be created and may be one. */
function needsBucket({ config, context, kinds }: CopySetup): boolean {
  return (
    bucketOf(config.dest_root, context) !== undefined || (config.create_bucket && kinds.dest !== "posix")
  );
}

/**
 * Leaves out the keys that this rclone does not carry as they are, whatever its log or a listing would say of them: a
 * manifest may come from another writer, or from a listing by another rclone.
 */
async function leaveOutUntransferable(
  { worklist, setup, log }: AttemptParts,
  version: Version,
): Promise<void> {
  const { source, dest } = setup.kinds;
  const found = await worklist.leaveOutWhere((key) => {
    const message = untransferableReason(key, { source, dest, version });
    return message === undefined ? undefined : { class: "untransferable", message, own: true };
  });
  if (found.length > 0) log.say(`${formatObjects(found.length)} cannot be carried: ${found[0]?.message}`);
}

/** Takes records that the look found for proven, or leaves them to rclone's comparison. */
function take(
  { records, worklist, log }: AttemptParts,
  { destination, findings }: Extract<Look, { kind: "seen" }>,
): void {
  const isProven = (index: number) => !worklist.isToDo(index);
  const look = readLook(destination, findings, { records: records.count, isProven });
  for (const index of look.identical) worklist.prove(index, "unchanged");
  worklist.mayBeThere = look.mayBeThere;
  if (look.summary !== undefined) log.say(look.summary);
}
