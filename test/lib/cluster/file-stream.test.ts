import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arrivedBytes, receiveFiles, sendFiles } from "../../../lib/cluster/file-stream.ts";

let dir = "";
const from = (path = "") => join(dir, "from", path);
const to = (path = "") => join(dir, "to", path);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "file-stream-"));
  mkdirSync(from("state"), { recursive: true });
  mkdirSync(to());
});
afterEach(() => rmSync(dir, { recursive: true }));

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const receive = (bytes: Buffer, size = 1000) => {
  const files: string[] = [];
  const done = receiveFiles(
    to(),
    inChunks(bytes, size),
    () => true,
    (path) => files.push(path),
  );
  return done.then(() => files);
};

const content = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

describe("a stream of files", () => {
  test.each([1, 7, 1000, 1_000_000])("arrives byte for byte in chunks of %d bytes", async (size) => {
    const small = size < 1000 ? content.subarray(0, 3000) : content;
    writeFileSync(from("manifest.jsonl"), small);
    writeFileSync(from("empty"), "");
    writeFileSync(from("state/größe \n x"), "a\nb", { mode: 0o640 });
    const wanted = ["manifest.jsonl", "empty", "gone", "state/größe \n x"].map((path) => ({
      path,
      offset: 0,
    }));
    const files = await receive(await bytesOf(sendFiles(from(), wanted)), size);
    expect(files).toEqual(["manifest.jsonl", "empty", "state/größe \n x"]);
    expect(readFileSync(to("manifest.jsonl")).equals(small)).toBeTrue();
    expect(readFileSync(to("empty"), "utf8")).toBe("");
    expect(readFileSync(to("state/größe \n x"), "utf8")).toBe("a\nb");
    expect(statSync(to("state/größe \n x")).mode & 0o777).toBe(0o640);
    expect(statSync(to("empty")).mtimeMs).toBeCloseTo(statSync(from("empty")).mtimeMs, -1);
  });

  test.each([0, 10, 60_000, 400_000, 700_050])(
    "that is cut after %d bytes is gone on from",
    async (length) => {
      writeFileSync(from("m"), content);
      const whole = await bytesOf(sendFiles(from(), [{ path: "m", offset: 0 }]));
      const cut = receive(whole.subarray(0, length));
      if (length === 0) await cut;
      else await expect(cut).rejects.toThrow("ended early");
      expect(existsSync(to("m"))).toBeFalse();
      const offset = arrivedBytes(to(), "m");
      expect(offset).toBeGreaterThanOrEqual(Math.max(0, length - 2000) > 0 ? 1 : 0);
      const rest = await bytesOf(sendFiles(from(), [{ path: "m", offset }]));
      expect(rest.length).toBeLessThan(content.length - offset + 500);
      await receive(rest);
      expect(readFileSync(to("m")).equals(content)).toBeTrue();
      expect(arrivedBytes(to(), "m")).toBe(0);
    },
  );

  test("whose beginning was another file's is thrown away, and arrives the next time", async () => {
    writeFileSync(from("m"), content);
    writeFileSync(to("m.part"), "something else");
    const offset = arrivedBytes(to(), "m");
    await expect(receive(await bytesOf(sendFiles(from(), [{ path: "m", offset }])))).rejects.toThrow(
      "is not what was sent",
    );
    expect(existsSync(to("m"))).toBeFalse();
    expect(arrivedBytes(to(), "m")).toBe(0);
    await receive(await bytesOf(sendFiles(from(), [{ path: "m", offset: 0 }])));
    expect(readFileSync(to("m")).equals(content)).toBeTrue();
  });

  test.each(["/etc/passwd", "../x", "a/../../x", "", "a//b"])("writes nothing at %j", async (path) => {
    const head = { path, size: 0, offset: 0, mode: 0o644, mtime_ms: 0 };
    await expect(receive(Buffer.from(`${JSON.stringify(head)}\n`))).rejects.toThrow("may be written");
  });

  test("of another program is told", async () => {
    await expect(receive(Buffer.from("Welcome to the cluster\n"))).rejects.toThrow("no stream of files");
  });
});
