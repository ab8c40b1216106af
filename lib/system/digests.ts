import { Worker } from "node:worker_threads";
import type { DigestMessage, DigestReply } from "./digest-messages.ts";

/** Buffers that the thread may have, in bytes, before `room` waits. */
const sentBytesMax = 4 * 1024 * 1024;

/** What is gathered for a message. */
const messageBytes = 512 * 1024;

/**
 * SHA-256 of many streams, taken by a thread beside what the caller does. It keeps every buffer that it was ever given:
 * they are to be used again. Call `end` when the digests are there or not wanted any more.
 */
export class Digests {
  readonly #thread: Worker;
  readonly #onHashed: (buffer: Buffer) => void;
  readonly #numbers = new Map<Buffer, number>();
  #newBuffers: Buffer[] = [];
  /** For the next message: its words, and its buffers. */
  #pieces: number[] = [];
  #buffers: Buffer[] = [];
  readonly #sent: Buffer[][] = [];
  #addedBytes = 0;
  #sentBytes = 0;
  #onReply = () => {};
  readonly #digests = Promise.withResolvers<readonly string[]>();
  #failure: { error: unknown } | undefined;

  /** `onHashed` gets each buffer back. */
  constructor(streams: number, onHashed: (buffer: Buffer) => void) {
    this.#onHashed = onHashed;
    // The build puts what a thread runs beside the program, under its own name.
    this.#thread = new Worker(new URL("./digest-thread.ts", import.meta.url), { workerData: streams });
    this.#thread.on("message", (reply: DigestReply) => {
      if (reply === "hashed") this.#takeBack();
      else this.#digests.resolve(reply);
    });
    this.#thread.on("error", (error) => this.#fail(error));
    // It is thrown to whoever asks.
    this.#digests.promise.catch(() => {});
  }

  /** Adds the first `used` bytes of a buffer of shared memory to a stream; it is not to be changed until it is back. */
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

  /** To be awaited now and then: passes on what was added, and waits while the thread is far behind. */
  room(): Promise<void> | undefined {
    if (this.#addedBytes >= messageBytes) this.#send();
    return this.#sentBytes > sentBytesMax ? this.#waitForRoom() : undefined;
  }

  async #waitForRoom(): Promise<void> {
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
