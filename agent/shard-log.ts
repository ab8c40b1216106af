import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { writeFully } from "../lib/system/durable.ts";
import { writing } from "../lib/system/write-error.ts";

const bufferBytes = 64 * 1024;
const newline = 0x0a;

/** The log of one attempt: rclone's lines as they came, and the agent's own lines in the same JSON form. */
export class ShardLog {
  readonly path: string;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #used = 0;

  constructor(path: string) {
    this.path = path;
    this.#fd = writing(path, () => {
      mkdirSync(dirname(path), { recursive: true });
      return openSync(path, "a", 0o666);
    });
  }

  /** Appends a line of rclone's; `line` has no newline. */
  raw(line: Uint8Array): void {
    if (this.#used + line.length + 1 > bufferBytes) this.flush();
    if (line.length + 1 > bufferBytes) {
      writeFully(this.#fd, Buffer.concat([line, Buffer.of(newline)]));
      return;
    }
    this.#buffer.set(line, this.#used);
    this.#used += line.length;
    this.#buffer[this.#used++] = newline;
  }

  /** Appends a line of the agent's, about an object if one is given. */
  note(level: "info" | "error", message: string, object?: string): void {
    const line = { time: new Date().toISOString(), level, msg: `xfer: ${message}`, object };
    this.raw(Buffer.from(JSON.stringify(line)));
  }

  /** Appends an informative line of the agent's that can be read at once. */
  say(message: string): void {
    this.note("info", message);
    this.flush();
  }

  flush(): void {
    const used = this.#used;
    this.#used = 0;
    if (used > 0) writeFully(this.#fd, this.#buffer.subarray(0, used));
  }

  close(): void {
    this.flush();
    closeSync(this.#fd);
  }
}
