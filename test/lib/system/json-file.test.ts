import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { readJsonFile } from "../../../lib/system/json-file.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const loose = v.object({ schema: v.literal("a.v1"), list: v.array(v.object({ n: v.number() })) });
const strict = v.strictObject(loose.entries);

/** What is read of a file with this content. */
function read(content: string | Uint8Array, schema: v.GenericSchema = loose) {
  using dir = temporaryDirectory();
  const path = join(dir.path, "file");
  writeFileSync(path, content);
  return readJsonFile(path, schema);
}

const whole = '{"schema":"a.v1","list":[{"n":1}]}';
const value = { schema: "a.v1", list: [{ n: 1 }] };

test.each<[string, string, unknown]>([
  ["whole", whole, { kind: "value", value }],
  ["with white space around", `\n ${whole}\r\n`, { kind: "value", value }],
  ["with a field that is not known", whole.replace("{", '{"more":1,'), { kind: "value", value }],
  ["empty", "", { kind: "torn", problem: "is empty" }],
  ["of white space", " \n\t", { kind: "torn", problem: "is empty" }],
  ["torn", whole.slice(0, -1), { kind: "torn", problem: "is torn or is not JSON" }],
  ["two values", whole + whole, { kind: "torn", problem: "is torn or is not JSON" }],
  ["of NULs, as a crash may leave it", "\0\0\0\0", { kind: "torn", problem: "is torn or is not JSON" }],
  ["no JSON", "hello", { kind: "torn", problem: "is torn or is not JSON" }],
])("a file that is %s", (_, content, found) => {
  expect(read(content) as unknown).toEqual(found);
});

test.each<[string, string]>([
  ['{"schema":"a.v2","list":[]}', "schema "],
  ['{"list":[]}', "schema is missing"],
  ['{"schema":"a.v1"}', "list is missing"],
  ['{"schema":"a.v1","list":{}}', "list "],
  ['{"schema":"a.v1","list":[{"n":1},{"n":"2"}]}', "list.1.n "],
  ["null", "Invalid type"],
  ["7", "Invalid type"],
  ["[]", ""],
])("what is wrong in %s is named by its field", (content, problem) => {
  const found = read(content);
  expect(found.kind).toBe("foreign");
  if (found.kind === "foreign") expect(found.problem).toStartWith(problem);
});

test("a field that a strict schema does not know is named", () => {
  expect(read(whole, strict)).toEqual({ kind: "value", value });
  expect(read(whole.replace("{", '{"more":1,'), strict)).toEqual({
    kind: "foreign",
    problem: "it has the field more, which this xfer does not know",
  });
});

test("no file is none, and a folder is an error of the system", () => {
  using dir = temporaryDirectory();
  expect(readJsonFile(join(dir.path, "none"), loose)).toEqual({ kind: "none" });
  expect(() => readJsonFile(dir.path, loose)).toThrow("EISDIR");
});
