import type { FailureClass } from "../../lib/rclone/failure-class.ts";
import { isFinalFailure } from "./after-pass.ts";

/** The state in which a failed attempt leaves its shard. */
export interface FailedAttempt {
  /** "bad-node" when the shard is tried again on another node and no attempt is spent. */
  outcome: "failed" | "bad-node";
  /** The nodes that .attempt remembers for the next start to be kept off. */
  badNodes: readonly string[];
  /** Attempts spent, this one included. */
  spent: number;
  /** Whether no further attempt of this submission follows. */
  final: boolean;
}

/**
 * Decides the state of a shard whose attempt has failed:
 *
 * | failure | outcome |
 * |---|---|
 * | only the user can cure it, such as an image without rclone | failed, and final |
 * | no container started here, and one more node can be avoided | bad-node: no attempt spent, never final |
 * | no container started here, and no other node is left | failed: one attempt spent |
 * | a container had started before it failed | failed: one attempt spent, the node is not to blame |
 * | any other | failed: one attempt spent, and final when that was the last |
 */
export function afterFailedAttempt(facts: {
  failure: FailureClass;
  /** Whether only the user can cure the failure. */
  isFinal: boolean;
  /** Whether rclone never spoke in this attempt. */
  neverStarted: boolean;
  node: string;
  badNodes: readonly string[];
  /** How many nodes the shard may be kept off in all. */
  avoidableNodes: number;
  spent: number;
  maxAttempts: number;
}): FailedAttempt {
  const { failure, node, badNodes, maxAttempts, isFinal } = facts;
  const nodes = [...new Set([...badNodes, node])];
  const elsewhere = failure === "container" && facts.neverStarted && !isFinal;
  if (elsewhere && nodes.length <= facts.avoidableNodes) {
    return { outcome: "bad-node", badNodes: nodes, spent: facts.spent, final: false };
  }
  const spent = facts.spent + 1;
  return {
    outcome: "failed",
    badNodes,
    spent,
    final: isFinalFailure({ final: isFinal, spent, maxAttempts }),
  };
}
