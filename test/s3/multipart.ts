import { randomUUID } from "node:crypto";
import { receiveText } from "./body.ts";
import { noSuchBucket, noSuchUpload, notImplemented, S3Error } from "./errors.ts";
import { findCopySource, objectHeaders, parseRange, receiveBody } from "./objects.ts";
import { type Exchange, sendEmpty, sendXml } from "./reply.ts";
import type { Body } from "./store.ts";
import { element, elements, elementText, isoDate } from "./xml.ts";

interface Upload {
  bucket: string;
  key: string;
  headers: Record<string, string>;
  startedMs: number;
  parts: Map<number, Body>;
}

/** Multipart uploads that are under way; they live in memory and end with the server. */
export class Uploads {
  private readonly uploads = new Map<string, Upload>();

  /** Answers POST ?uploads (begin) and POST ?uploadId (complete). */
  async handlePost(exchange: Exchange): Promise<void> {
    if (exchange.request.query.has("uploads")) this.begin(exchange);
    else if (exchange.request.query.has("uploadId")) await this.complete(exchange);
    else throw notImplemented("POST of an object");
  }

  /** Answers PUT of a part. */
  async handlePart(exchange: Exchange): Promise<void> {
    this.find(exchange);
    const number = partNumber(exchange);
    this.keep(exchange, number, await receiveBody(exchange));
  }

  /** Answers the copy of another object, or a range of one, into a part. */
  async handlePartCopy(exchange: Exchange): Promise<void> {
    const { store, request } = exchange;
    this.find(exchange);
    const number = partNumber(exchange);
    const source = findCopySource(store, request.headers);
    const range = parseRange(request.headers["x-amz-copy-source-range"], source.size);
    const writer = store.newBody();
    try {
      await store.read(source.file, range, (chunk) => writer.write(chunk));
    } catch (error) {
      writer.discard();
      throw error;
    }
    this.keep(exchange, number, writer.finish());
  }

  /** Answers DELETE ?uploadId. */
  handleAbort(exchange: Exchange): void {
    const upload = this.find(exchange);
    this.uploads.delete(exchange.request.query.get("uploadId") ?? "");
    for (const part of upload.parts.values()) exchange.store.discard(part.file);
    sendEmpty(exchange, 204);
  }

  /** Answers GET ?uploads of a bucket with all uploads under way on one page. */
  sendList(exchange: Exchange): void {
    const { bucket } = exchange.request;
    const parts = [element("Bucket", bucket), element("IsTruncated", false)];
    for (const [id, upload] of this.uploads) {
      if (upload.bucket !== bucket) continue;
      const fields = element("Key", upload.key) + element("UploadId", id);
      parts.push(`<Upload>${fields}${element("Initiated", isoDate(upload.startedMs))}</Upload>`);
    }
    sendXml(exchange, "ListMultipartUploadsResult", parts.join(""));
  }

  private begin(exchange: Exchange): void {
    const { store, request } = exchange;
    const { bucket, key } = request;
    if (!store.hasBucket(bucket)) throw noSuchBucket();
    const id = randomUUID();
    const headers = objectHeaders(request.headers);
    this.uploads.set(id, { bucket, key, headers, startedMs: Date.now(), parts: new Map() });
    const fields = element("Bucket", bucket) + element("Key", key) + element("UploadId", id);
    sendXml(exchange, "InitiateMultipartUploadResult", fields);
  }

  private keep(exchange: Exchange, number: number, body: Body): void {
    const { store, request } = exchange;
    let upload: Upload;
    try {
      upload = this.find(exchange); // it may have been aborted while the part came in
    } catch (error) {
      store.discard(body.file);
      throw error;
    }
    const old = upload.parts.get(number);
    if (old !== undefined) store.discard(old.file);
    upload.parts.set(number, body);
    const etag = `"${body.md5.toString("hex")}"`;
    if (request.kind === "COPY") {
      const modified = element("LastModified", isoDate(Date.now()));
      sendXml(exchange, "CopyPartResult", modified + element("ETag", etag));
    } else {
      sendEmpty(exchange, 200, { etag });
    }
  }

  private async complete(exchange: Exchange): Promise<void> {
    const { store, request, message } = exchange;
    const { bucket, key } = request;
    const xml = await receiveText(message);
    const upload = this.find(exchange);
    const parts = chosenParts(xml, upload);
    const [first] = parts;
    if (first === undefined) throw malformed();
    // From here on nobody else can complete, abort or add to it.
    this.uploads.delete(request.query.get("uploadId") ?? "");
    const used = new Set(parts);
    for (const part of upload.parts.values()) if (!used.has(part)) store.discard(part.file);
    await store.concatenate(
      parts.map((part) => part.file),
      first.size,
    );
    const etag = multipartEtag(parts.map((part) => part.md5));
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    store.put(bucket, key, { file: first.file, size, etag, modifiedMs: Date.now(), headers: upload.headers });
    const fields = element("Bucket", bucket) + element("Key", key) + element("ETag", `"${etag}"`);
    sendXml(exchange, "CompleteMultipartUploadResult", fields);
  }

  private find({ request }: Exchange): Upload {
    const upload = this.uploads.get(request.query.get("uploadId") ?? "");
    if (upload === undefined || upload.bucket !== request.bucket || upload.key !== request.key) {
      throw noSuchUpload();
    }
    return upload;
  }
}

/** The ETag of an object made of parts: the MD5 of their binary MD5s, and how many there were. */
export function multipartEtag(digests: readonly Uint8Array[]): string {
  const hash = new Bun.CryptoHasher("md5");
  for (const digest of digests) hash.update(digest);
  return `${hash.digest("hex")}-${digests.length}`;
}

/** The parts that a complete request names; they must be there, with these ETags, in ascending order. */
function chosenParts(xml: string, upload: Upload): Body[] {
  let last = 0;
  return elements(xml, "Part").map((text) => {
    const number = Number(elementText(text, "PartNumber"));
    const etag = (elementText(text, "ETag") ?? "").replaceAll('"', "");
    const part = upload.parts.get(number);
    if (part === undefined || part.md5.toString("hex") !== etag) {
      throw new S3Error("InvalidPart", 400, "One or more of the specified parts could not be found.");
    }
    if (number <= last)
      throw new S3Error("InvalidPartOrder", 400, "The list of parts was not in ascending order.");
    last = number;
    return part;
  });
}

function partNumber({ request }: Exchange): number {
  const number = Number(request.query.get("partNumber"));
  if (Number.isInteger(number) && number >= 1 && number <= 10_000) return number;
  throw new S3Error("InvalidArgument", 400, "Part number must be an integer between 1 and 10000, inclusive");
}

function malformed(): S3Error {
  return new S3Error("MalformedXML", 400, "The XML you provided was not well-formed.");
}
