import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authenticate } from "./auth.ts";
import { drain } from "./body.ts";
import { Counter, type Counts } from "./counts.ts";
import { dispatch } from "./dispatch.ts";
import { noSuchBucket, S3Error } from "./errors.ts";
import { type FaultRule, Faults, faultError } from "./faults.ts";
import { multipartEtag, Uploads } from "./multipart.ts";
import { objectOf } from "./objects.ts";
import { type Exchange, sendError } from "./reply.ts";
import { parseRequest, type S3Request } from "./request.ts";
import { Store } from "./store.ts";

export type { Counts, Kind } from "./counts.ts";
export type { FaultAction, FaultRule } from "./faults.ts";

/** How an endpoint is started; every field has a default. */
export interface EndpointOptions {
  /** Where objects live, and stay after stop(); without it a temporary directory that stop() removes. */
  directory?: string;
  /** 0, the default, takes a free port. */
  port?: number;
  buckets?: readonly string[];
  accessKeyId?: string;
  secretAccessKey?: string;
  region?: string;
}

/** How `put` stores an object. */
export interface PutOptions {
  /** Kept as rclone keeps it, in the object's metadata. */
  mtime?: Date;
  /** Gives the object the ETag of a multipart upload with parts of this size. */
  partSizeBytes?: number;
  contentType?: string;
}

/** What `head` tells of an object; metadata has the names without "x-amz-meta-". */
export interface ObjectHead {
  size: number;
  etag: string;
  modified: Date;
  metadata: Record<string, string>;
}

const metaPrefix = "x-amz-meta-";

/** A small S3 server on 127.0.0.1 that counts its requests and fails on demand. */
export class S3Endpoint {
  private readonly counter = new Counter();
  private readonly faults = new Faults();
  private readonly uploads = new Uploads();
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private stopped: Promise<void> | null = null;

  /** Serves the objects of the directory, those of an earlier run included; rejects when the port is taken. */
  static async start(options: EndpointOptions = {}): Promise<S3Endpoint> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), "xfer-s3-"));
    const endpoint = new S3Endpoint(new Store(directory), options, options.directory ? null : directory);
    for (const bucket of options.buckets ?? []) endpoint.createBucket(bucket);
    await new Promise<void>((resolve, reject) => {
      endpoint.server.once("error", reject);
      endpoint.server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return endpoint;
  }

  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;

  private constructor(
    private readonly store: Store,
    options: EndpointOptions,
    private readonly temporaryDirectory: string | null,
  ) {
    this.accessKeyId = options.accessKeyId ?? "xfer-test-key";
    this.secretAccessKey = options.secretAccessKey ?? "xfer-test-secret";
    this.region = options.region ?? "us-east-1";
    this.server = createServer((message, response) => void this.serve(message, response));
    this.server.on("checkContinue", (message: IncomingMessage, response: ServerResponse) => {
      response.writeContinue();
      void this.serve(message, response);
    });
    this.server.on("connection", (socket: Socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    // Idle connections stay open: a close that crosses a request on its way would look like a fault.
    this.server.keepAliveTimeout = 0;
    this.server.requestTimeout = 0;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === "string") throw new Error("the S3 endpoint is not listening");
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Cuts every connection, and removes the directory if it is a temporary one; further calls do nothing. */
  stop(): Promise<void> {
    this.stopped ??= this.close();
    return this.stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The counters since the start or the last resetCounts(). */
  get counts(): Readonly<Counts> {
    return this.counter.counts;
  }

  resetCounts(): void {
    this.counter.reset();
  }

  /** Connections of clients: while there are any, requests that were sent may not have arrived yet. */
  get connections(): number {
    return this.sockets.size;
  }

  /** How often an object's GET and PUT have arrived. */
  requestsFor(bucket: string, key: string): { GET: number; PUT: number } {
    return { ...this.counter.forKey(bucket, key) };
  }

  /** Puts a fault in force; the function returned takes it away again. */
  inject(rule: FaultRule): () => void {
    return this.faults.add(rule);
  }

  /** Creates a bucket; one that is there already stays as it is. */
  createBucket(name: string): void {
    this.store.createBucket(name);
  }

  /** Stores an object without a request. */
  put(bucket: string, key: string, body: Uint8Array | string, options: PutOptions = {}): void {
    if (!this.store.hasBucket(bucket)) throw noSuchBucket();
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const writer = this.store.newBody();
    writer.write(bytes);
    const headers: Record<string, string> = {};
    if (options.contentType !== undefined) headers["content-type"] = options.contentType;
    if (options.mtime !== undefined) headers[`${metaPrefix}mtime`] = unixSeconds(options.mtime);
    const object = objectOf(writer.finish(), headers);
    if (options.partSizeBytes !== undefined) object.etag = etagOfParts(bytes, options.partSizeBytes);
    this.store.put(bucket, key, object);
  }

  /** The bytes of an object, or null when there is none. */
  async get(bucket: string, key: string): Promise<Uint8Array | null> {
    const object = this.store.find(bucket, key);
    return object === undefined ? null : Bun.file(this.store.path(object.file)).bytes();
  }

  /** Size, ETag (without quotes) and metadata of an object, or null when there is none. */
  head(bucket: string, key: string): ObjectHead | null {
    const object = this.store.find(bucket, key);
    if (object === undefined) return null;
    const metadata: Record<string, string> = {};
    for (const [name, value] of Object.entries(object.headers)) {
      if (name.startsWith(metaPrefix)) metadata[name.slice(metaPrefix.length)] = value;
    }
    return { size: object.size, etag: object.etag, modified: new Date(object.modifiedMs), metadata };
  }

  /** All keys of a bucket in listing order. */
  keys(bucket: string): string[] {
    return [...this.store.keys(bucket)];
  }

  /** Removes an object; false when it was not there. */
  remove(bucket: string, key: string): boolean {
    return this.store.remove(bucket, key);
  }

  /** The section of an rclone.conf that makes this endpoint a remote of that name. */
  rcloneSection(name: string): string {
    return [
      `[${name}]`,
      "type = s3",
      "provider = Minio",
      `endpoint = ${this.url}`,
      `access_key_id = ${this.accessKeyId}`,
      `secret_access_key = ${this.secretAccessKey}`,
      `region = ${this.region}`,
      "force_path_style = true",
      "no_check_bucket = true",
      "",
    ].join("\n");
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const where = { method: message.method ?? "", path: (message.url ?? "").replace(/\?.*$/, "") };
    try {
      const request = parseRequest(message);
      this.counter.arrived(request);
      let isOver = false;
      const leave = () => {
        if (!isOver) this.counter.left();
        isOver = true;
      };
      response.on("finish", leave);
      response.on("close", leave);
      await this.answer(request, message, response);
    } catch (error) {
      await this.refuse(error, message, response, where);
    }
  }

  private async answer(
    request: S3Request,
    message: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { delayMs, action, over } = this.faults.choose(request);
    response.on("close", over);
    if (delayMs > 0) await Bun.sleep(delayMs);
    let resetAfterBytes = Number.POSITIVE_INFINITY;
    if (action === "stall") return;
    if (action === "reset") return resetNow(message);
    if (typeof action === "string") throw faultError(action);
    if (action !== null) resetAfterBytes = action.resetAfterBytes;
    if (action !== null && request.kind !== "GET") {
      let received = 0;
      await drain(message, (chunk) => {
        received += chunk.length;
        if (received >= resetAfterBytes) resetNow(message);
      });
      return resetNow(message);
    }
    authenticate(request, this, new Date());
    const { store, uploads, region } = this;
    const exchange: Exchange = { request, message, response, store, uploads, region, resetAfterBytes };
    await dispatch(exchange);
  }

  private async refuse(
    error: unknown,
    message: IncomingMessage,
    response: ServerResponse,
    where: { method: string; path: string },
  ): Promise<void> {
    // A client that left, or a body that stopped half way, can only be answered by closing.
    if (message.destroyed && !message.readableEnded) return;
    const known = error instanceof S3Error ? error : null;
    if (known === null) console.error("S3 endpoint:", error);
    if (response.headersSent) return resetNow(message);
    try {
      // The body is read to its end first: clients take an early answer for a broken connection.
      await drain(message);
    } catch {
      return;
    }
    const answer = known ?? new S3Error("InternalError", 500, "We encountered an internal error.");
    this.counter.failed(answer.status);
    sendError(response, answer, where);
  }

  private async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    await closed;
    this.store.close();
    if (this.temporaryDirectory !== null) rmSync(this.temporaryDirectory, { recursive: true, force: true });
  }
}

function resetNow(message: IncomingMessage): void {
  message.socket.resetAndDestroy();
}

/** Unix seconds with a fraction, the form of rclone's mtime metadata. */
function unixSeconds(date: Date): string {
  const ms = Math.abs(date.getTime());
  const seconds = (ms / 1000).toFixed(3).replace(/\.?0+$/, "");
  return date.getTime() < 0 ? `-${seconds}` : seconds;
}

function etagOfParts(bytes: Uint8Array, partSizeBytes: number): string {
  const digests: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += partSizeBytes) {
    const part = bytes.subarray(at, at + partSizeBytes);
    digests.push(new Bun.CryptoHasher("md5").update(part).digest());
  }
  return multipartEtag(digests);
}
