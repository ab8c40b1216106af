import { expect, test } from "bun:test";
import { optionsOf } from "../../cmd/report.ts";

const base = { "run-dir": "run", format: "md", csv: undefined, out: undefined, cluster: undefined } as const;

test.each([
  [base, { format: "md", csv: "objects", out: undefined }],
  [
    { ...base, format: "csv" as const },
    { format: "csv", csv: "objects", out: undefined },
  ],
  [
    { ...base, format: "csv" as const, csv: "shards" as const, out: "f" },
    { format: "csv", csv: "shards", out: "f" },
  ],
])("%j is written as %j", (input, options) => {
  expect(optionsOf(input)).toEqual(options as ReturnType<typeof optionsOf>);
});

test("a table is refused for what is no CSV", () => {
  expect(() => optionsOf({ ...base, csv: "shards" })).toThrow("--csv is for --format csv, not md");
});
