import { writeSync } from "node:fs";
import { print } from "./print.ts";

/** Another screen without a cursor, and the way back to the one that was there. */
const enter = "\x1b[?1049h\x1b[?25l";
const leave = "\x1b[?25h\x1b[?1049l";

/** What a person types. */
export type Key = "quit" | "interrupt";

/**
 * The terminal as a screen that is drawn over and over. It is as it was before when this goes out of scope, and when the
 * program ends in any way that it can notice.
 */
export class Screen implements Disposable {
  readonly #onKey: (key: Key) => void;
  readonly #onResize: () => void;
  readonly #restore = () => this[Symbol.dispose]();
  #isOpen = true;

  constructor({ onKey, onResize }: { onKey: (key: Key) => void; onResize: () => void }) {
    this.#onKey = onKey;
    this.#onResize = onResize;
    process.on("exit", this.#restore);
    writeSync(1, enter);
    process.stdout.on("resize", this.#onResize);
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true);
    process.stdin.on("data", this.#read);
    process.stdin.resume();
  }

  /** How much room there is. The last column stays free: some terminals wrap when it is filled. */
  get room(): { columns: number; rows: number } {
    const [columns, rows] = sizeOfTerminal();
    return { columns: Math.max(20, columns - 1), rows: Math.max(2, rows) };
  }

  /** Shows these lines, and nothing else. */
  async draw(lines: readonly string[]): Promise<void> {
    if (!this.#isOpen) return;
    await print(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off("exit", this.#restore);
    process.stdout.off("resize", this.#onResize);
    if (process.stdin.isTTY) {
      process.stdin.off("data", this.#read);
      process.stdin.setRawMode(false);
      process.stdin.pause();
    }
    try {
      writeSync(1, leave);
    } catch {
      // The terminal has gone.
    }
  }

  readonly #read = (typed: Buffer): void => {
    const text = typed.toString("latin1");
    if (text.includes("\x03")) this.#onKey("interrupt");
    else if (/[qQ]/.test(text)) this.#onKey("quit");
  };
}

/**
 * The size as the terminal says it at this moment: the signal of a new size does not come to a program without a controlling
 * terminal, and without it the stream keeps the size that it knew.
 */
function sizeOfTerminal(): [number, number] {
  const stdout: NodeJS.WriteStream & { _refreshSize?: () => void } = process.stdout;
  stdout._refreshSize?.();
  return [stdout.columns || 80, stdout.rows || 24];
}
