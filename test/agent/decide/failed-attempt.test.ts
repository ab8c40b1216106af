import { describe, expect, test } from "bun:test";
import { afterFailedAttempt, type FailedAttempt } from "../../../agent/decide/failed-attempt.ts";

describe("what becomes of a shard whose attempt has failed", () => {
  const facts = {
    failure: "network" as const,
    isFinal: false,
    neverStarted: false,
    node: "n1",
    badNodes: [],
    avoidableNodes: 2,
    spent: 0,
    maxAttempts: 3,
  };
  const noContainer = { failure: "container" as const, neverStarted: true };
  const failed = (spent: number, final: boolean, badNodes: string[] = []): FailedAttempt => ({
    outcome: "failed",
    badNodes,
    spent,
    final,
  });
  const rows: [string, Partial<Parameters<typeof afterFailedAttempt>[0]>, FailedAttempt][] = [
    ["it can pass", {}, failed(1, false)],
    ["it can pass, but the attempts are spent", { spent: 2 }, failed(3, true)],
    ["the last but one", { spent: 1 }, failed(2, false)],
    ["denied", { failure: "auth", isFinal: true }, failed(1, true)],
    ["missing", { failure: "missing", isFinal: true }, failed(1, true)],
    ["in the way", { failure: "path", isFinal: true }, failed(1, true)],
    ["an image without rclone", { ...noContainer, isFinal: true }, failed(1, true)],
    ["no container here", noContainer, { outcome: "bad-node", badNodes: ["n1"], spent: 0, final: false }],
    [
      "no container on a second node, when the attempts are spent",
      { ...noContainer, badNodes: ["n2"], spent: 3 },
      { outcome: "bad-node", badNodes: ["n2", "n1"], spent: 3, final: false },
    ],
    [
      "no container, on the same node again",
      { ...noContainer, badNodes: ["n1", "n2"] },
      { outcome: "bad-node", badNodes: ["n1", "n2"], spent: 0, final: false },
    ],
    ["no container on any node", { ...noContainer, badNodes: ["n2", "n3"] }, failed(1, false, ["n2", "n3"])],
    ["no container, and no Slurm to ask", { ...noContainer, avoidableNodes: 0 }, failed(1, false)],
    ["a container that ended under way", { failure: "container" }, failed(1, false)],
    ["rclone never spoke, for another reason", { neverStarted: true }, failed(1, false)],
  ];
  for (const [what, change, after] of rows) {
    test(what, () => expect(afterFailedAttempt({ ...facts, ...change })).toEqual(after));
  }
});
