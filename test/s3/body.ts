import type { IncomingMessage } from "node:http";
import { S3Error } from "./errors.ts";

type Take = (chunk: Uint8Array) => void;

/** Feeds a request's payload to `take`, without the aws-chunked framing; rejects when it ends early. */
export async function receive(message: IncomingMessage, take: Take): Promise<void> {
  const { headers } = message;
  const isFramed = /^STREAMING-/.test(String(headers["x-amz-content-sha256"] ?? ""));
  const frames = isFramed ? new FrameDecoder(take) : null;
  const declared = isFramed ? headers["x-amz-decoded-content-length"] : headers["content-length"];
  let bytes = 0;
  await drain(message, (chunk) => {
    bytes += chunk.length;
    if (frames === null) take(chunk);
    else frames.push(chunk);
  });
  const received = frames === null ? bytes : frames.payloadBytes;
  const isShort = declared !== undefined && Number(declared) !== received;
  if (isShort || frames?.isComplete === false) {
    throw new S3Error("IncompleteBody", 400, "The body is not as long as its header says.");
  }
}

/** Reads a request's body to its end; rejects when the client went away before that. */
export function drain(message: IncomingMessage, take: Take = () => {}): Promise<void> {
  if (message.readableEnded) return Promise.resolve();
  return new Promise((resolve, reject) => {
    let failed: unknown = null;
    message.on("data", (chunk: Uint8Array) => {
      if (failed !== null) return;
      try {
        take(chunk);
      } catch (error) {
        failed = error; // the rest is read all the same, so that the client gets to see the answer
      }
    });
    message.on("end", () => (failed === null ? resolve() : reject(failed)));
    message.on("error", reject);
    message.on("close", () => reject(new Error("the client went away")));
    message.resume();
  });
}

/** Reads a whole body as text, up to a bound that S3's own documents stay under. */
export async function receiveText(message: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  await receive(message, (chunk) => {
    bytes += chunk.length;
    if (bytes > textBytesMax) throw new S3Error("MalformedXML", 400, "The document is too long.");
    chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString("utf8");
}

const textBytesMax = 8 * 1024 * 1024;
const headerBytesMax = 16 * 1024;

/** Decodes `size;chunk-signature=...\r\n` data `\r\n` ... `0` and trailers; the signatures are not checked. */
class FrameDecoder {
  payloadBytes = 0;
  isComplete = false;
  private line = "";
  private left = 0;
  private state: "size" | "data" | "data-end" | "trailer" = "size";

  constructor(private readonly take: Take) {}

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.state === "data") {
        const part = chunk.subarray(at, at + this.left);
        this.take(part);
        this.payloadBytes += part.length;
        this.left -= part.length;
        at += part.length;
        if (this.left === 0) this.state = "data-end";
        continue;
      }
      const end = chunk.indexOf(10, at);
      this.line += Buffer.from(chunk.subarray(at, end < 0 ? chunk.length : end)).toString("latin1");
      if (this.line.length > headerBytesMax) throw malformed();
      if (end < 0) return;
      at = end + 1;
      this.lineRead(this.line.replace(/\r$/, ""));
      this.line = "";
    }
  }

  private lineRead(line: string): void {
    if (this.state === "size") {
      const match = /^([0-9a-f]{1,12})(;.*)?$/i.exec(line);
      if (match === null) throw malformed();
      this.left = Number.parseInt(match[1] ?? "", 16);
      this.state = this.left === 0 ? "trailer" : "data";
      this.isComplete = this.left === 0;
    } else if (this.state === "data-end") {
      if (line !== "") throw malformed();
      this.state = "size";
    }
  }
}

function malformed(): S3Error {
  return new S3Error("InvalidRequest", 400, "The aws-chunked framing is broken.");
}
