import { expect, test } from "bun:test";
import { Digests } from "../../../lib/system/digests.ts";
import { seededRandom } from "../../data/fill.ts";

const shared = (bytes: number) => Buffer.from(new SharedArrayBuffer(bytes));

test("digests are those of the streams, although buffers are used again as soon as they are back", async () => {
  const random = seededRandom(11);
  const free: Buffer[] = [shared(64 * 1024), shared(64 * 1024), shared(300 * 1024)];
  const digests = new Digests(5, (buffer) => free.push(buffer.fill(0)));
  const wanted = Array.from({ length: 5 }, () => new Bun.CryptoHasher("sha256"));
  for (let i = 0; i < 400; i++) {
    const buffer = free.shift() ?? shared(64 * 1024);
    const stream = Math.floor(random() * 4);
    const used = Math.floor(random() * buffer.length);
    buffer.fill(i % 251, 0, used);
    wanted[stream]?.update(buffer.subarray(0, used));
    digests.add(stream, buffer, used);
    await digests.drain();
  }
  expect(await digests.digests()).toEqual(wanted.map((hash) => hash.digest("hex")));
  digests.end();
});

test("an end before the digests were asked for leaves nothing that waits", async () => {
  const digests = new Digests(1, () => {});
  digests.add(0, shared(8 * 1024 * 1024), 8 * 1024 * 1024);
  await digests.drain();
  digests.end();
});
