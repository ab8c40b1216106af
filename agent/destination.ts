import { MissingBucket } from "../lib/listing/bucket.ts";
import { ListingFailed } from "../lib/listing/lister.ts";
import type { FailureClass } from "../lib/rclone/failure-class.ts";
import { causeOf } from "../lib/rclone/telling.ts";
import { type RunLayout, shardLayout } from "../lib/run/layout.ts";
import {
  type Destination,
  destinationBinding,
  readDestination,
  writeDestination,
} from "../lib/run/state/destination.ts";
import { readFindings } from "../lib/run/state/findings.ts";
import { readLookFailure, writeLookFailure } from "../lib/run/state/look-failure.ts";
import type { ShardsMeta } from "../lib/shard/meta.ts";
import { removeIfExists } from "../lib/system/durable.ts";
import { messageOf, XferError } from "../lib/system/errors.ts";
import { log } from "../lib/system/log.ts";
import { Claim } from "./claim.ts";

/** The shard that asks for the look at the destination, and how the look is made. */
export interface ExamineOptions {
  run: RunLayout;
  destRoot: string;
  meta: ShardsMeta;
  shard: number;
  stop: AbortSignal;
  /** Looks at the destination for all shards of the run, and has written each shard's .found when it returns. */
  probe: (stop: AbortSignal) => Promise<Destination>;
}

/** The look at the destination, as one shard sees it. */
export type Look =
  | {
      kind: "seen";
      destination: Destination;
      /** One finding for each record; undefined where the destination was empty or was not listed to its end. */
      findings: Uint8Array | undefined;
    }
  | { kind: "failed"; class: FailureClass; message: string; final: boolean }
  | { kind: "stopped" };

/**
 * Finds out what the destination held before this run. One agent looks for the whole run, since a later look would find
 * what other agents have copied. The others wait for that look while its agent is alive. A look that fails leaves no
 * answer: the agents that waited for it fail with the same message, and the next agent that asks looks again.
 */
export async function examineDestination(options: ExamineOptions): Promise<Look> {
  const { run, stop } = options;
  for (;;) {
    const taken = await Claim.takeOr(
      run.destinationClaim,
      (waitedFor) => knownLook(options) ?? failureOf(run, waitedFor),
      stop,
      ({ pid, host }) => log.info(`waiting for the look at the destination by pid ${pid} on ${host}`),
    );
    if (taken === undefined) return { kind: "stopped" };
    if ("answer" in taken) return taken.answer;
    const look = await lookWith(taken.claim, options);
    if (look !== undefined) return look;
  }
}

/** Looks as the holder of the claim; undefined when another agent has taken the claim over and looks itself. */
async function lookWith(claim: Claim, options: ExamineOptions): Promise<Look | undefined> {
  const { run, stop } = options;
  try {
    const destination = await options.probe(AbortSignal.any([stop, claim.lost]));
    if (claim.lost.aborted) return undefined;
    writeDestination(run.destination, bindingOf(options), destination);
    removeIfExists(run.destinationFailure);
    claim.settle();
    const look = knownLook(options);
    if (!look) throw new Error("a look at the destination left no answer");
    return look;
  } catch (error) {
    if (stop.aborted) return { kind: "stopped" };
    if (claim.lost.aborted) return undefined;
    if (!(error instanceof XferError)) throw error;
    const failure = failureBy(error);
    writeLookFailure(run.destinationFailure, claim.token, failure);
    return failure;
  } finally {
    claim.release();
  }
}

function bindingOf({ destRoot, meta }: ExamineOptions) {
  return destinationBinding(destRoot, meta);
}

/** The answer of a finished look for this shard; undefined when any part of it is missing. */
function knownLook(options: ExamineOptions): Look | undefined {
  const { run, meta, shard } = options;
  const destination = readDestination(run.destination, bindingOf(options));
  if (!destination) return undefined;
  const entry = meta.shards[shard];
  const findings =
    entry && destination.found !== "nothing" ? readFindings(shardLayout(run, shard).found, entry) : undefined;
  if (destination.found === "per-shard" && !findings) return undefined;
  return { kind: "seen", destination, findings };
}

type FailedLook = Extract<Look, { kind: "failed" }>;

function failureBy(error: XferError): FailedLook {
  if (error instanceof MissingBucket)
    return { kind: "failed", class: "config", message: messageOf(error), final: true };
  const { class: failure, final } = error instanceof ListingFailed ? error.why : causeOf(messageOf(error));
  // An error of the look says nothing about any object: none is missing for it.
  return {
    kind: "failed",
    class: failure === "missing" ? "unknown" : failure,
    final: failure !== "missing" && final,
    message: `the destination could not be looked at, and nothing was copied: ${messageOf(error)}`,
  };
}

/** The failure of the look that this agent has waited for, so that the tasks of an array do not fail one after another. */
function failureOf(run: RunLayout, waitedFor: string | undefined): FailedLook | undefined {
  if (waitedFor === undefined) return undefined;
  const failure = readLookFailure(run.destinationFailure, waitedFor);
  return failure && { kind: "failed", ...failure };
}
