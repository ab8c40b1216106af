import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type FarEnd, type FarRun, thisHost } from "../../../lib/cluster/far-end.ts";
import { binaryPath, putFile } from "../../../lib/cluster/put-file.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const block = 64 * 1024;
const content = Buffer.from(Array.from({ length: 5 * block + 700 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
const sha256 = createHash("sha256").update(content).digest("hex");

let dir: ReturnType<typeof temporaryDirectory>;
let local = "";
let remote = "";

beforeEach(() => {
  dir = temporaryDirectory("put 'q' $HOME ");
  local = join(dir.path, "local");
  remote = join(dir.path, "root", ".xfer", "bin", "file");
  writeFileSync(local, content);
});
afterEach(() => dir[Symbol.dispose]());

const put = (end: FarEnd = thisHost(), onProgress?: (bytes: number) => void) =>
  putFile(end, {
    ...{ local, remote, sha256, mode: "755", stop: new AbortController().signal },
    ...(onProgress === undefined ? {} : { onProgress }),
  });

/** This host, of which the next script that reads gets `bytes` of its input. */
function cutAfter(bytes: number): FarEnd {
  const run = (script: string, options: FarRun = {}) => {
    const { input, ...rest } = options;
    return thisHost().run(script, input === undefined ? rest : { ...rest, input: firstOf(input, bytes) });
  };
  return { host: "far", run };
}

async function* firstOf(input: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of input) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}

function leave(bytes: Uint8Array): void {
  mkdirSync(dirname(remote), { recursive: true });
  writeFileSync(`${remote}.part`, bytes);
}

const expectWhole = () => {
  expect(readFileSync(remote).equals(content)).toBeTrue();
  expect(statSync(remote).mode & 0o777).toBe(0o755);
  expect(readdirSync(dirname(remote))).toEqual(["file"]);
};

test("a file arrives whole, with its mode, in folders that are made for this user alone", async () => {
  expect(await put()).toBe("put");
  expectWhole();
  expect(statSync(dirname(remote)).mode & 0o777).toBe(0o700);
  expect(await put()).toBe("was there");
});

describe("what is left of an earlier try", () => {
  test.each([
    ["a block and a bit", content.subarray(0, block + 5), block],
    ["all of it", content, 5 * block],
    ["nothing", content.subarray(0, 0), 0],
    ["more than it has", Buffer.concat([content, Buffer.from("x")]), 0],
  ])("is gone on from: %s", async (_, there, from) => {
    leave(there);
    const read: number[] = [];
    expect(await put(thisHost(), (bytes) => read.push(bytes))).toBe("put");
    expectWhole();
    // Pieces of four blocks are read from where it goes on.
    expect(read[0]).toBe(Math.min(from + 4 * block, content.length));
  });

  test("and is another file's is thrown away, and all is sent", async () => {
    leave(Buffer.alloc(2 * block, "x"));
    expect(await put()).toBe("put");
    expectWhole();
  });
});

test.each([0, 1, block, 3 * block + 7])(
  "an input that ends after %d bytes is gone on from",
  async (bytes) => {
    await expect(put(cutAfter(bytes))).rejects.toMatchObject({
      exitCode: 75,
      message: expect.stringMatching(/did not arrive whole at far: run the same command again/),
    });
    expect(statSync(`${remote}.part`).size).toBe(bytes);
    expect(await put()).toBe("put");
    expectWhole();
  },
);

test("several that put the same file at a time all end well", async () => {
  const ends = await Promise.all(Array.from({ length: 6 }, () => put()));
  expect(ends.filter((end) => end !== "put" && end !== "was there")).toEqual([]);
  expectWhole();
});

test("a file that changed since its digest was taken gets no name", async () => {
  writeFileSync(local, Buffer.alloc(content.length, "y"));
  await expect(put()).rejects.toThrow(/what arrived is not what was sent, twice: it was thrown away/);
  expect(existsSync(remote)).toBeFalse();
  expect(existsSync(`${remote}.part`)).toBeFalse();
});

test("a place that may not be written is told with host, path and mend", async () => {
  const blocked = join(dir.path, "root");
  mkdirSync(blocked);
  writeFileSync(join(blocked, ".xfer"), "a file where the folder would be");
  chmodSync(blocked, 0o500);
  await expect(put()).rejects.toThrow(
    /^this host:.*\/root\/\.xfer\/bin\/file: cannot be written: .*(?:File exists|Not a directory)/,
  );
});

test("a binary's place is made of version and digest", async () => {
  expect(await binaryPath("/runs", "1.2.3", local)).toEqual({
    path: `/runs/.xfer/bin/xfer-1.2.3-${sha256.slice(0, 12)}`,
    sha256,
  });
});
