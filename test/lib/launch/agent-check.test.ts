import { describe, expect, test } from "bun:test";
import { agentVerdict } from "../../../lib/launch/agent-check.ts";

const denied = { text: "sh: 1: exec: /r/bin/xfer: Permission denied", denied: true };
const otherMachine = { text: "sh: 1: exec: /r/bin/xfer: Exec format error", denied: false };

describe("what starting the binary here means for a submission", () => {
  test.each([
    ["bin/xfer runs", { isCopy: true, exists: true, failure: undefined }, undefined],
    ["bin/xfer is gone", { isCopy: true, exists: false, failure: undefined }, "refuse"],
    ["bin/xfer may not be executed", { isCopy: true, exists: true, failure: denied }, "refuse"],
    ["bin/xfer is for another machine", { isCopy: true, exists: true, failure: otherMachine }, "refuse"],
    ["--agent-path runs", { isCopy: false, exists: true, failure: undefined }, undefined],
    ["--agent-path is only on the nodes", { isCopy: false, exists: false, failure: undefined }, undefined],
    ["--agent-path may not be executed", { isCopy: false, exists: true, failure: denied }, "refuse"],
    ["--agent-path is for another machine", { isCopy: false, exists: true, failure: otherMachine }, "warn"],
  ] as const)("%s", (_, tried, verdict) => {
    const { refuse, warn } = agentVerdict({ path: "/r/bin/xfer", ...tried });
    expect([refuse && "refuse", warn && "warn"].find(Boolean)).toBe(verdict);
    for (const text of [refuse, warn]) if (text !== undefined) expect(text).toContain("/r/bin/xfer");
  });
});
