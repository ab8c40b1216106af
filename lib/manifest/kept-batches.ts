import { ScratchFile } from "../system/scratch-file.ts";
import { BatchScanner, type RecordBatch } from "./batch.ts";

/** Keeps the batches of an input that can be read only once, in a scratch file, and gives them again. */
export class KeptBatches implements Disposable {
  readonly #file: ScratchFile;
  readonly #lengths: number[] = [];

  /** The scratch file is made in `folder`. */
  constructor(folder: string) {
    this.#file = new ScratchFile(`${folder}/.xfer-input`);
  }

  add({ bytes, count, lineStart }: RecordBatch): void {
    const lines = bytes.subarray(lineStart[0], lineStart[count]);
    this.#file.append(lines);
    this.#lengths.push(lines.length);
  }

  async forEach(each: (batch: RecordBatch) => void): Promise<void> {
    const scanner = new BatchScanner("stdin");
    let at = 0;
    let firstLine = 1;
    let bytes = Buffer.alloc(0);
    for (const length of this.#lengths) {
      if (bytes.length < length) bytes = Buffer.allocUnsafeSlow(length);
      this.#file.read(bytes.subarray(0, length), at);
      const batch = scanner.scan({ bytes, start: 0, end: length, firstLine });
      each(batch);
      at += length;
      firstLine += batch.count;
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
