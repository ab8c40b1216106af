import { expect, test } from "bun:test";
import { join } from "node:path";
import { codeOf } from "../../.ci/compile.ts";
import { schemasIn } from "../../.ci/schemas.ts";

test.each([
  [`v.object({ schema: v.literal("xfer.a.v1"),`, ["xfer.a.v1"], []],
  [`return { schema: "xfer.b.v2", count } as const;`, [], ["xfer.b.v2"]],
  ["Buffer.from(`xfer.c.v1 digest`)", ["xfer.c.v1"], ["xfer.c.v1"]],
  [`const name = "xfer.d.v1";\nv.literal(name)\nwrite({ schema: name, x })`, ["xfer.d.v1"], ["xfer.d.v1"]],
  [`interface A { schema: "xfer.e.v1"; }`, [], []],
  [`/** Schema xfer.f.v1. */ schema: v.literal(other)`, [], []],
] as [string, string[], string[]][])("in %j it reads %j and writes %j", (code, reads, writes) => {
  expect(schemasIn([code])).toEqual({ reads, writes });
});

test("every schema that the code names is read or written", () => {
  const code = codeOf(join(import.meta.dir, "..", ".."));
  const { reads, writes } = schemasIn(code);
  const named = code.flatMap((text) => text.match(/\bxfer\.[a-z-]+\.v\d+\b/g) ?? []);
  expect(new Set([...reads, ...writes])).toEqual(new Set(named));
  expect(reads).toContain("xfer.manifest.v1");
  expect(writes).toContain("xfer.manifest.v1");
});
