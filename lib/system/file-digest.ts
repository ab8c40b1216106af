import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

const blockBytes = 512 * 1024;
/** Blocks between two turns of the event loop, so that signals and timers are served. */
const blocksPerTurn = 16;

/** The SHA-256 of a file's content, in hex. Memory is one block. Throws ENOENT and the like. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const block = Buffer.allocUnsafeSlow(blockBytes);
  const fd = openSync(path, "r");
  try {
    for (let blocks = 1; ; blocks++) {
      const got = readSync(fd, block, 0, blockBytes, null);
      if (got === 0) return hash.digest("hex");
      hash.update(block.subarray(0, got));
      if (blocks % blocksPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(fd);
  }
}
