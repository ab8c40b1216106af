import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { forEachLine, forEachTextLine } from "../../../lib/system/lines.ts";
import { readText, startChild } from "../../../lib/system/process.ts";

const openFiles = () => readdirSync("/proc/self/fd").length;

for (const gather of [undefined, "stdout", "stderr"] as const) {
  const options = gather === undefined ? {} : { gather };

  test(`output is whole, in order and with its exit code, gathered: ${gather}`, async () => {
    const script = "seq 50000; seq 50000 >&2; echo no newline at the end >&2; printf end; exit 7";
    const child = startChild(["bash", "-c", script], options);
    const [exit, stdout, stderr] = await Promise.all([
      child.exited,
      readText(child.stdout),
      readText(child.stderr),
    ]);
    const numbers = Array.from({ length: 50_000 }, (_, i) => `${i + 1}\n`).join("");
    expect(exit.code).toBe(7);
    expect(stdout === `${numbers}end`).toBe(true);
    expect(stderr === `${numbers}no newline at the end\n`).toBe(true);
  });

  test(`lines that lie in two chunks are whole, gathered: ${gather}`, async () => {
    // More than a pipe holds at a time, of lines that fit into no chunk evenly, written a few at a time.
    const script = "yes 'a line of some length that is not a power of two' | head -n 40000";
    for (const read of [forEachLine, forEachTextLine]) {
      const child = startChild(["bash", "-c", gather === "stderr" ? `{ ${script}; } >&2` : script], options);
      const other = readText(gather === "stderr" ? child.stdout : child.stderr);
      const seen = new Map<string, number>();
      const note = (line: unknown) => {
        const isText = typeof line === "string";
        const text = isText ? line : Buffer.from((line as { bytes: Uint8Array }).bytes).toString();
        seen.set(text, (seen.get(text) ?? 0) + 1);
      };
      await read(gather === "stderr" ? child.stderr : child.stdout, note);
      expect([...seen]).toEqual([["a line of some length that is not a power of two", 40_000]]);
      expect(await other).toBe("");
    }
  });
}

test("a writer dies of SIGPIPE once the reader of gathered output has gone", async () => {
  const child = startChild(["yes"], { gather: "stdout" });
  for await (const chunk of child.stdout) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(await child.exited).toEqual({ code: 141, signal: "SIGPIPE" });
});

test("where no named pipe can be made, output is read as it comes", async () => {
  const tmp = process.env.TMPDIR;
  process.env.TMPDIR = "/nowhere";
  try {
    const child = startChild(["echo", "hello"], { gather: "stdout" });
    expect(await readText(child.stdout)).toBe("hello\n");
    expect(await child.exited).toEqual({ code: 0, signal: null });
  } finally {
    if (tmp === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = tmp;
  }
});

test("gathered output leaves no file open", async () => {
  const before = openFiles();
  for (let i = 0; i < 40; i++) {
    const child = startChild(["true"], { gather: "stdout" });
    await Promise.all([readText(child.stdout), readText(child.stderr), child.exited]);
  }
  expect(openFiles()).toBeLessThan(before + 20);
});
