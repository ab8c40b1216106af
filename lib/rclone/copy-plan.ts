import type { RootKind } from "./remote.ts";

/** What the choice of flags rests on. */
export interface CopyFacts {
  source: RootKind;
  dest: RootKind;
  /** The largest object of the shard, in bytes. */
  largestBytes: number;
  /** Whether the user's own flags make rclone compare with the destination. */
  comparesDestination: boolean;
}

/** How rclone is told to copy a shard, and why. */
export interface CopyPlan {
  flags: string[];
  reason: string;
}

/** From here on rclone (1.64 and newer) copies one object in several streams, for which it must know the size. */
const multiThreadCutoffBytes = 256 * 1024 * 1024;

/**
 * The flags that copy a list of objects with the fewest requests that are safe for the two places:
 *
 * | source | destination | largest object | an object costs |
 * |---|---|---|---|
 * | s3 | s3 | below 256 MiB | GET + PUT |
 * | s3 | s3 | from 256 MiB | HEAD + GET + PUT, in several streams |
 * | s3 | posix, other | below 256 MiB | GET |
 * | posix, other | s3 | any | PUT |
 * | posix, other | posix, other | any | what the backend needs to find it |
 *
 * Everywhere: no listing (it would list every ancestor directory of every key), and no look at the destination, so that
 * each object's copy shows in the log; a user's flag that compares makes rclone look, and log what it left alone.
 */
export function copyPlan(facts: CopyFacts): CopyPlan {
  const flags = ["--no-traverse"];
  const reasons = [`${facts.source} to ${facts.dest}`, "keys are looked up, not listed"];
  if (facts.comparesDestination) {
    reasons.push("the destination is compared, as the user's flags ask");
  } else {
    flags.push("--no-check-dest");
    reasons.push("the destination is not asked first");
  }
  if (facts.dest === "s3") {
    flags.push("--s3-no-head");
    reasons.push("no HEAD after the upload");
  }
  if (facts.source === "s3" && facts.largestBytes < multiThreadCutoffBytes && !facts.comparesDestination) {
    flags.push("--s3-no-head-object");
    reasons.push("no HEAD before the GET");
  } else if (facts.source === "s3") {
    reasons.push("a HEAD before the GET, since sizes are needed");
  }
  return { flags, reason: reasons.join("; ") };
}
