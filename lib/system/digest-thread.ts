import { parentPort, workerData } from "node:worker_threads";
import type { DigestMessage, DigestReply } from "./digest-messages.ts";

/** The thread of `Digests`: hashes the pieces that it is sent. */
const hashes = Array.from({ length: workerData as number }, () => new Bun.CryptoHasher("sha256"));
const buffers: Uint8Array[] = [];

parentPort?.on("message", (message: DigestMessage) => {
  const reply: DigestReply =
    message === "digests" ? hashes.map((hash) => hash.digest("hex")) : hashPieces(message);
  parentPort?.postMessage(reply);
});

function hashPieces({ newBuffers, pieces }: Exclude<DigestMessage, string>): "hashed" {
  buffers.push(...newBuffers);
  for (let i = 0; i < pieces.length; i += 3) {
    const [stream = 0, buffer = 0, used = 0] = pieces.subarray(i, i + 3);
    hashes[stream]?.update(buffers[buffer]?.subarray(0, used) ?? "");
  }
  return "hashed";
}
