import { expect, test } from "bun:test";
import {
  identifyProcess,
  isSameTable,
  ownIdentity,
  ownTable,
  type ProcessTable,
  runsStill,
} from "../../../lib/system/process-identity.ts";

test("whether the pids of one table can be looked up in another", () => {
  const table = (host: string, boot: string | null, pid_namespace: string | null): ProcessTable => ({
    host,
    boot,
    pid_namespace,
  });
  const own = table("n1", "b1", "p1");
  const rows: [ProcessTable, boolean][] = [
    [own, true],
    [table("container", "b1", "p1"), true],
    [table("n1", "b1", "p2"), false],
    [table("n1", "b2", "p1"), false],
    [table("n1", "b1", null), true],
    [table("n1", null, null), true],
    [table("n1", null, "p2"), false],
    [table("n2", null, null), false],
    [table("n2", "b1", null), false],
    [table("n2", "b2", "p1"), false],
  ];
  for (const [other, same] of rows) {
    expect([other, isSameTable(other, own)]).toEqual([other, same]);
    expect([other, isSameTable(own, other)]).toEqual([other, same]);
  }
});

test("a process runs still until it ends, and a pid that was used again is another process", async () => {
  const child = Bun.spawn(["sleep", "60"]);
  const identity = identifyProcess(child.pid);
  if (!identity) throw new Error("a process that runs was not identified");
  expect(runsStill(identity, ownTable())).toBe(true);
  expect(runsStill({ ...identity, start: "1" }, ownTable())).toBe(false);
  expect(runsStill(identity, { ...ownTable(), boot: "another" })).toBeUndefined();
  child.kill();
  await child.exited;
  expect(runsStill(identity, ownTable())).toBe(false);
  expect(runsStill(ownIdentity(), ownTable())).toBe(true);
});
