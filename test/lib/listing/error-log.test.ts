import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Tail, writeErrorLog } from "../../../lib/listing/error-log.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const kib = 1024;

/** Bytes that are all different in each 64 KiB. */
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => 0x61 + (Math.floor(i / 7) % 26));

async function tailOf(chunks: readonly Uint8Array[]) {
  const tail = new Tail();
  const passed: Uint8Array[] = [];
  async function* stream() {
    yield* chunks;
  }
  for await (const chunk of tail.watch(stream())) passed.push(chunk);
  return { text: tail.text(), passed: Buffer.concat(passed) };
}

test.each([
  [0, 1],
  [10, 3],
  [64 * kib - 1, 1_000],
  [64 * kib, 64 * kib],
  [64 * kib + 1, 1_000],
  [500 * kib, 1],
  [500 * kib, 7 * kib],
  [500 * kib, 500 * kib],
])(
  "of %d bytes in chunks of %d the last 64 KiB are kept, and all are passed on",
  async (length, chunkBytes) => {
    const bytes = bytesOf(length);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < length; at += Math.max(chunkBytes, 97)) {
      chunks.push(bytes.subarray(at, at + Math.max(chunkBytes, 97)));
    }
    const { text, passed } = await tailOf(chunks);
    expect(passed.equals(bytes)).toBe(true);
    expect(text).toBe(Buffer.from(bytes.slice(-64 * kib)).toString());
  },
);

test("what is kept does not change when its buffer is used again", async () => {
  // As the pipe of a listing gives its chunks: each is valid until the next.
  const buffer = new Uint8Array(6);
  const tail = new Tail();
  async function* stream() {
    for (const text of ["first\n", "other\n"]) {
      new TextEncoder().encodeInto(text, buffer);
      yield buffer;
    }
  }
  for await (const _ of tail.watch(stream()));
  expect(tail.text()).toBe("first\nother\n");
});

test("a tail cut within a letter is still a text", () => {
  const tail = new Tail();
  tail.add(Buffer.from("\u{1f600}".repeat(100_000)));
  expect(tail.text()).toEndWith("\u{1f600}\n");
  expect(Buffer.byteLength(tail.text())).toBeLessThan(65 * kib);
});

function failure(errorDir: string) {
  const stdout = new Tail();
  stdout.add(Buffer.from('{"Path":"a"}'));
  const stderr = new Tail();
  stderr.add(Buffer.from("2026/01/01 ERROR : no"));
  return {
    setup: { errorDir, runId: "20261122T081500Z_a1b2c3" },
    argv: ["rclone", "lsjson", "src:it's a b"],
    error: new Error("the listing\nended early"),
    exitCode: 3,
    stdout,
    stderr,
  };
}

const names = ["SLURM_JOB_ID", "SLURM_JWT", "SLURM_REST_TOKEN", "SLURM_MY_SECRET"];

afterEach(() => {
  for (const name of names) delete process.env[name];
});

test("the log says what was run, how it ended and what it said last, and holds no secret of the environment", () => {
  using dir = temporaryDirectory();
  process.env.SLURM_JOB_ID = "12";
  for (const name of names.slice(1)) process.env[name] = "hush";
  const path = writeErrorLog(failure(dir.path));
  expect(path).toBe(join(dir.path, "xfer-err", "manifest-build_20261122T081500Z_a1b2c3.log"));
  const text = readFileSync(path, "utf8");
  expect(text).toBe(
    [
      "error: the listing ended early",
      "exit code: 3",
      `command: rclone lsjson 'src:it'"'"'s a b'`,
      "",
      "== SLURM environment ==",
      "SLURM_JOB_ID=12",
      "",
      "== end of stdout ==",
      '{"Path":"a"}\n',
      "== stderr ==",
      "2026/01/01 ERROR : no\n",
      "",
    ].join("\n"),
  );
});

test("where no log can be written, that is said in its place", () => {
  using dir = temporaryDirectory();
  writeFileSync(join(dir.path, "xfer-err"), "a file");
  expect(writeErrorLog(failure(dir.path))).toBe(
    `no log: ${join(dir.path, "xfer-err")} cannot be written: EEXIST`,
  );
  expect(readFileSync(join(dir.path, "xfer-err"), "utf8")).toBe("a file");
  expect(existsSync(join(dir.path, "manifest-build_20261122T081500Z_a1b2c3.log"))).toBe(false);
});
