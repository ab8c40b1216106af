import { closeSync, openSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { S3Error } from "./errors.ts";
import type { Uploads } from "./multipart.ts";
import type { S3Request } from "./request.ts";
import { readChunk, type Store } from "./store.ts";
import { element, xmlDocument } from "./xml.ts";

/** All that a handler needs to answer one request. */
export interface Exchange {
  request: S3Request;
  message: IncomingMessage;
  response: ServerResponse;
  store: Store;
  uploads: Uploads;
  region: string;
  /** After so many body bytes the connection is reset; infinity where no fault asks for it. */
  resetAfterBytes: number;
}

export function sendEmpty(
  { response }: Exchange,
  status: number,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, status === 204 ? headers : { "content-length": "0", ...headers });
  response.end();
}

export function sendXml({ response }: Exchange, root: string, content: string): void {
  const body = Buffer.from(xmlDocument(root, content));
  response.writeHead(200, { "content-type": "application/xml", "content-length": String(body.length) });
  response.end(body);
}

/** Answers with S3's error document; HEAD and 304 have no body. */
export function sendError(
  response: ServerResponse,
  error: S3Error,
  where: { method: string; path: string },
): void {
  const fields = element("Code", error.code) + element("Message", error.message);
  const rest = element("Resource", where.path) + element("RequestId", "0");
  const body = Buffer.from(xmlDocument("Error", fields + rest));
  const isBare = where.method === "HEAD" || error.status === 304;
  response.writeHead(
    error.status,
    isBare ? {} : { "content-type": "application/xml", "content-length": String(body.length) },
  );
  response.end(isBare ? undefined : body);
}

/** Sends a byte range of a file as the body, never ahead of a slow reader; the head must be written already. */
export async function sendFile(exchange: Exchange, path: string, range: { start: number; end: number }) {
  const { response, message } = exchange;
  const end = Math.min(range.end, range.start + exchange.resetAfterBytes);
  const descriptor = openSync(path, "r");
  try {
    for (let at = range.start; at < end && !response.destroyed; ) {
      const chunk = readChunk(descriptor, at, end);
      at += chunk.length;
      if (at === range.end) {
        response.end(chunk);
        return;
      }
      if (!response.write(chunk)) await drained(response);
    }
  } finally {
    closeSync(descriptor);
  }
  if (exchange.resetAfterBytes < Number.POSITIVE_INFINITY) {
    // What was written needs a moment to leave: a reset throws away what is still queued.
    await Bun.sleep(resetGraceMs);
    message.socket.resetAndDestroy();
  } else {
    response.end();
  }
}

const resetGraceMs = 50;

/** Resolves when the response takes more bytes, or when it is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
