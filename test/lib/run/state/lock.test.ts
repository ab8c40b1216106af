import { expect, test } from "bun:test";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLock } from "../../../../lib/run/state/lock.ts";
import { temporaryDirectory } from "../../../stage/harness.ts";

const whole = {
  schema: "xfer.lock.v1",
  token: "7e1c0e1e-0000-4000-8000-000000000001",
  host: "node1",
  boot: "b",
  pid_namespace: "pid:[1]",
  agent: { pid: 7, start: "42" },
  submission: "slurm:12",
};

test("a lock is known by its holder's token; what an earlier build did not write is null", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_0.lock");
  expect(readLock(path)).toBeUndefined();
  writeFileSync(path, JSON.stringify(whole));
  expect(readLock(path)).toEqual({ id: whole.token, holder: whole } as ReturnType<typeof readLock>);
  const { boot: _, pid_namespace: __, ...earlier } = whole;
  writeFileSync(path, JSON.stringify(earlier));
  expect(readLock(path)?.holder).toMatchObject({ ...earlier, boot: null, pid_namespace: null });
});

test("a token that could leave the folder is a part of a name all the same", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "shard_0.lock");
  writeFileSync(path, JSON.stringify({ ...whole, token: `../${"x".repeat(200)}` }));
  const { id = "" } = readLock(path) ?? {};
  expect(id).toStartWith("..%2Fxxx");
  expect(id.length).toBe(100);
});

test.each(["", "{", '{"schema":"other"}'])(
  "a lock that holds %j has no holder, and is another one when it changes",
  (text) => {
    using dir = temporaryDirectory();
    const path = join(dir.path, "shard_0.lock");
    writeFileSync(path, text);
    const first = readLock(path);
    expect(first?.holder).toBeUndefined();
    expect(readLock(path)).toEqual(first as NonNullable<typeof first>);
    utimesSync(path, 1, 1);
    expect(readLock(path)?.id).not.toBe(first?.id);
  },
);
