import type { FailureClass } from "../../lib/rclone/failure-class.ts";
import { isFinalFailure } from "./after-pass.ts";

/** What a failed attempt leaves in its shard's state, and what follows. */
export interface FailedAttempt {
  /** "bad-node" when it is tried again on another node, and nothing is spent. */
  outcome: "failed" | "bad-node";
  /** Nodes that the next start is to be kept off, as far as .attempt remembers them. */
  badNodes: readonly string[];
  /** Attempts spent, this one included. */
  spent: number;
  /** Whether no further attempt of this submission follows. */
  final: boolean;
}

/**
 * What becomes of a shard whose attempt has failed:
 *
 * | failure | outcome |
 * |---|---|
 * | one that only the user cures, such as an image without rclone | failed, and final |
 * | no container started here, and one more node can be avoided | bad-node: nothing spent, never final |
 * | the same, but no other node is left | failed: one attempt spent |
 * | a container that had started once | failed: one attempt spent, the node is not to blame |
 * | another | failed; final when the attempts are spent |
 */
export function afterFailedAttempt(facts: {
  failure: FailureClass;
  /** Whether only the user cures it. */
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
