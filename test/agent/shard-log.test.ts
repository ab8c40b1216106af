import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ShardLog } from "../../agent/shard-log.ts";
import { temporaryDirectory } from "../stage/harness.ts";

const buffer = 64 * 1024;

test("every line arrives once, whole and in order, however long the lines are", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "logs", "shard_1_attempt_1.log");
  const log = new ShardLog(path);
  // Around the size of the buffer: alone, and after another line.
  const lengths = [0, 1, buffer - 2, buffer - 1, buffer, buffer + 1, 3, buffer - 1, buffer - 5, 2, 1, 1, 7];
  const lines = lengths.map((length, index) => String(index % 10).repeat(length));
  for (const line of lines) log.raw(Buffer.from(line));
  log.close();
  expect(readFileSync(path, "utf8")).toBe(lines.map((line) => `${line}\n`).join(""));
});

test("a line that is not flushed is not there yet; a log that is opened again is gone on with", () => {
  using dir = temporaryDirectory();
  const path = join(dir.path, "log");
  const log = new ShardLog(path);
  log.raw(Buffer.from("one"));
  expect(readFileSync(path, "utf8")).toBe("");
  log.flush();
  log.flush();
  expect(readFileSync(log.path, "utf8")).toBe("one\n");
  log.raw(Buffer.of());
  log.flush();
  expect(readFileSync(path, "utf8")).toBe("one\n\n");
  log.close();
  const again = new ShardLog(path);
  again.note("error", "two", "a/b");
  again.note("info", "three");
  again.close();
  const [first = "", , second = "", third = "", end] = readFileSync(path, "utf8").split("\n");
  expect([first, end]).toEqual(["one", ""]);
  expect(JSON.parse(second)).toMatchObject({ level: "error", msg: "xfer: two", object: "a/b" });
  expect(JSON.parse(third)).toEqual({ time: expect.any(String), level: "info", msg: "xfer: three" });
});
