import { Worker } from "node:worker_threads";
import type { DigestMessage, DigestReply } from "./digest-messages.ts";

/** While the thread holds more bytes of buffers than this, `drain` waits. */
const sentBytesMax = 4 * 1024 * 1024;

/** Bytes of buffers that are gathered before a message is sent. */
const messageBytes = 512 * 1024;

/**
 * SHA-256 of many streams, taken by a thread while the caller goes on. The thread keeps every buffer that it was ever
 * given, so use the same buffers again and again. Call `end` when the digests are there or not wanted any more.
 */
export class Digests {
  readonly #thread: Worker;
  readonly #onHashed: (buffer: Buffer) => void;
  readonly #numbers = new Map<Buffer, number>();
  #newBuffers: Buffer[] = [];
  /** The next message: its numbers, and the buffers that they mean. */
  #pieces: number[] = [];
  #buffers: Buffer[] = [];
  readonly #sent: Buffer[][] = [];
  #addedBytes = 0;
  #sentBytes = 0;
  #onReply = () => {};
  readonly #digests = Promise.withResolvers<readonly string[]>();
  #failure: { error: unknown } | undefined;

  /** `onHashed` is given each buffer once it has been hashed. */
  constructor(streams: number, onHashed: (buffer: Buffer) => void) {
    this.#onHashed = onHashed;
    // The build puts the thread's file beside the program, under its own name.
    this.#thread = new Worker(new URL("./digest-thread.ts", import.meta.url), { workerData: streams });
    this.#thread.on("message", (reply: DigestReply) => {
      if (reply === "hashed") this.#takeBack();
      else this.#digests.resolve(reply);
    });
    this.#thread.on("error", (error) => this.#fail(error));
    // Whoever awaits digests() sees the error; this handler only keeps it from counting as unhandled before that.
    this.#digests.promise.catch(() => {});
  }

  /** Adds the first `used` bytes of a buffer of shared memory to a stream. Do not change the buffer before it is given back. */
  add(stream: number, buffer: Buffer, used: number): void {
    let number = this.#numbers.get(buffer);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(buffer, number);
      this.#newBuffers.push(buffer);
    }
    this.#pieces.push(stream, number, used);
    this.#buffers.push(buffer);
    this.#addedBytes += buffer.length;
  }

  /** Back-pressure. Sends what was added and resolves when the thread has caught up; await it after each batch. */
  drain(): Promise<void> | undefined {
    if (this.#addedBytes >= messageBytes) this.#send();
    return this.#sentBytes > sentBytesMax ? this.#catchUp() : undefined;
  }

  async #catchUp(): Promise<void> {
    while (this.#sentBytes > sentBytesMax / 2) {
      if (this.#failure) throw this.#failure.error;
      await new Promise<void>((resolve) => {
        this.#onReply = resolve;
      });
    }
  }

  #send(): void {
    const message: DigestMessage = { newBuffers: this.#newBuffers, pieces: Int32Array.from(this.#pieces) };
    this.#thread.postMessage(message);
    this.#sent.push(this.#buffers);
    this.#sentBytes += this.#addedBytes;
    this.#newBuffers = [];
    this.#pieces = [];
    this.#buffers = [];
    this.#addedBytes = 0;
  }

  #takeBack(): void {
    for (const buffer of this.#sent.shift() ?? []) {
      this.#sentBytes -= buffer.length;
      this.#onHashed(buffer);
    }
    this.#onReply();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#digests.reject(error);
    this.#onReply();
  }

  /** The digests of all streams, in hexadecimal. */
  digests(): Promise<readonly string[]> {
    this.#send();
    const message: DigestMessage = "digests";
    this.#thread.postMessage(message);
    return this.#digests.promise;
  }

  /** Ends the thread, without waiting for it. */
  end(): void {
    this.#thread.unref();
    void this.#thread.terminate();
  }
}
