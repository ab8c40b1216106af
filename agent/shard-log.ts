import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { writeFully } from "../lib/system/durable.ts";

const bufferBytesMax = 64 * 1024;

/** The log of one attempt: rclone's lines as they came, and the agent's own in the same JSON form. */
export class ShardLog {
  readonly path: string;
  readonly #fd: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.path = path;
    this.#fd = openSync(path, "a", 0o666);
  }

  /** Appends a line of rclone's, given without its newline. */
  raw(line: Uint8Array): void {
    this.#parts.push(line.slice(), new Uint8Array([0x0a]));
    this.#bytes += line.length + 1;
    if (this.#bytes >= bufferBytesMax) this.flush();
  }

  /** Appends a line of the agent's. */
  note(level: "info" | "error", message: string, object?: string): void {
    const line = { time: new Date().toISOString(), level, msg: `xfer: ${message}`, object };
    this.raw(Buffer.from(JSON.stringify(line)));
  }

  flush(): void {
    if (this.#parts.length === 0) return;
    const data = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    writeFully(this.#fd, data);
  }

  close(): void {
    this.flush();
    closeSync(this.#fd);
  }
}
