import { expect, test } from "bun:test";
import { ListerOutput } from "../../../lib/listing/lister-output.ts";

const json = (level: string, msg: string) => JSON.stringify({ level, msg, source: "x.go:1" });

/** What a lister has said when it printed this to stdout, and these lines to stderr. */
async function outputOf(stdout: string, ...lines: string[]): Promise<ListerOutput> {
  const output = new ListerOutput({ configPath: undefined, verbosity: 0 });
  const stream = output.stdout.watch(
    (async function* () {
      yield Buffer.from(stdout);
    })(),
  );
  for await (const _ of stream);
  for (const line of lines) output.takeLine(line);
  return output;
}

test.each([
  ["", true],
  ["[\n", true],
  ["[\n]\n", true],
  [" [ ] \n", true],
  ['[\n{"Path":"a"}', false],
  ["x", false],
])("stdout %j has no entry: %p", async (stdout, hasNoEntry) => {
  expect((await outputOf(stdout)).hasNoEntry).toBe(hasNoEntry);
});

const notFound = json("error", "error listing: directory not found");

test.each([
  [3, [notFound], true],
  [3, [json("error", "access denied")], false],
  [1, [notFound], false],
])("exit code %d with %j says that the root is absent: %p", async (code, lines, isAbsent) => {
  const output = await outputOf("", ...lines);
  expect(output.saysAbsent({ code, signal: null })).toBe(isAbsent);
});

test("a listing that ended by itself has rclone's words for it, one that was killed has none", async () => {
  const output = await outputOf(
    "",
    json("error", "error listing: AccessDenied: Access Denied\n\tstatus code: 403"),
  );
  expect(output.causeOfExit({ code: 1, signal: null })).toMatchObject({ class: "auth", final: true });
  expect(output.causeOfExit({ code: 143, signal: "SIGTERM" })).toBeUndefined();
  expect(output.causeOfExit({ code: 0, signal: null })).toBeUndefined();
});

test("a line that tells the value of a variable is kept nowhere", async () => {
  const line = json(
    "debug",
    'Setting --s3-secret-access-key "hunter2" from environment variable RCLONE_X="hunter2"',
  );
  const output = await outputOf("", line, json("notice", "hello"));
  expect(output.stderr.text()).toContain("hello");
  expect(output.stderr.text()).not.toContain("hunter2");
});
