import { afterEach, expect, test } from "bun:test";
import { reportError } from "../../cmd/cli/run-cli.ts";
import { invalidInput } from "../../lib/system/errors.ts";

const write = process.stderr.write;

afterEach(() => {
  process.stderr.write = write;
  delete process.env.XFER_DEBUG;
});

/** What an error prints, and the exit code that it means. */
function reported(error: unknown): { code: number; stderr: string } {
  let stderr = "";
  process.stderr.write = ((text: string) => {
    stderr += text;
    return true;
  }) as typeof write;
  const code = reportError(error, "xfer run");
  return { code, stderr };
}

const system = Object.assign(new Error("ENOSPC: no space left on device, write '/x'"), { code: "ENOSPC" });

test.each([
  ["an expected one", invalidInput("--x: must\n be y"), 2, "xfer: --x: must be y\n"],
  ["the system's", system, 1, "xfer: ENOSPC: no space left on device, write '/x'\n"],
  [
    "a bug",
    new TypeError("x is not\na thing"),
    1,
    "xfer: internal error: x is not a thing; XFER_DEBUG=1 shows the stack\n",
  ],
  ["no error at all", "odd", 1, "xfer: internal error: odd; XFER_DEBUG=1 shows the stack\n"],
])("%s is one line", (_what, error, code, stderr) => expect(reported(error)).toEqual({ code, stderr }));

test("the stack is there for who asks", () => {
  process.env.XFER_DEBUG = "1";
  const { code, stderr } = reported(new TypeError("oops"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^xfer: internal error: oops\nxfer: TypeError: oops\n +at /);
});

test("what caused an expected error is there for who asks, and for nobody else", () => {
  const error = invalidInput("/x: no such file", { cause: system });
  expect(reported(error).stderr).toBe("xfer: /x: no such file\n");
  process.env.XFER_DEBUG = "1";
  const { code, stderr } = reported(error);
  expect(code).toBe(2);
  expect(stderr).toStartWith("xfer: /x: no such file\nxfer: XferError: /x: no such file\n");
  expect(stderr).toContain("\nxfer: caused by: Error: ENOSPC: no space left on device, write '/x'\n");
});
