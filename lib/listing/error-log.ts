import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeIfExists } from "../system/durable.ts";
import { errnoOf, messageOf } from "../system/errors.ts";
import { quoteWords } from "../system/shell-words.ts";

const tailBytesMax = 64 * 1024;

/** The last bytes of a stream, for an error log. */
export class Tail {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice(-tailBytesMax), new Uint8Array([0x0a]));
    this.#bytes += bytes.length + 1;
    this.#trim();
  }

  async *watch(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      this.#parts.push(chunk.slice(-tailBytesMax));
      this.#bytes += chunk.length;
      this.#trim();
      yield chunk;
    }
  }

  #trim(): void {
    if (this.#bytes < 2 * tailBytesMax) return;
    const all = Buffer.concat(this.#parts).subarray(-tailBytesMax);
    this.#parts = [all];
    this.#bytes = all.length;
  }

  text(): string {
    return Buffer.concat(this.#parts).subarray(-tailBytesMax).toString("utf8");
  }
}

/** Writes an error log of a failed listing under xfer-err. Returns the log's path, or why there is none. */
export function writeErrorLog(failure: {
  /** The folder in which xfer-err is made, and the id in the log's name. */
  setup: { errorDir: string; runId: string };
  argv: string[];
  error: unknown;
  exitCode: number;
  stdout: Tail;
  stderr: Tail;
}): string {
  const { setup, argv, error, exitCode, stdout, stderr } = failure;
  const slurm = Object.entries(process.env)
    .filter(([name]) => name.startsWith("SLURM_") && !/JWT|TOKEN|KEY|PASS|SECRET/.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const text = [
    `error: ${messageOf(error)}`,
    `exit code: ${exitCode}`,
    `command: ${quoteWords(argv)}`,
    "",
    "== SLURM environment ==",
    ...slurm.sort(),
    "",
    "== end of stdout ==",
    stdout.text(),
    "== stderr ==",
    stderr.text(),
    "",
  ].join("\n");
  const dir = join(setup.errorDir, "xfer-err");
  const path = join(dir, `manifest-build_${setup.runId}.log`);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(path, text);
    return path;
  } catch (logError) {
    removeTorn(path);
    return `no log: ${dir} cannot be written: ${errnoOf(logError) ?? messageOf(logError)}`;
  }
}

/** Removes a log that was not written whole, where that is possible: the failure that it is of must still be said. */
function removeTorn(path: string): void {
  try {
    removeIfExists(path);
  } catch {}
}
