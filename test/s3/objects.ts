import { receive, receiveText } from "./body.ts";
import { noSuchBucket, noSuchKey, S3Error } from "./errors.ts";
import { type Exchange, sendEmpty, sendFile, sendXml } from "./reply.ts";
import { parseCopySource } from "./request.ts";
import type { Body, Store, StoredObject } from "./store.ts";
import { element, elements, elementText, isoDate } from "./xml.ts";

const keptHeaders = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
  "x-amz-storage-class",
];

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const metadataBytesMax = 2048;
const metaPrefix = "x-amz-meta-";

/** The headers of an upload that belong to the object. */
export function objectHeaders(headers: Record<string, string>): Record<string, string> {
  const kept: Record<string, string> = {};
  const bytes = Object.entries(headers)
    .filter(([name]) => name.startsWith(metaPrefix))
    .reduce((sum, [name, value]) => sum + name.length - metaPrefix.length + value.length, 0);
  if (bytes > metadataBytesMax) {
    throw new S3Error(
      "MetadataTooLarge",
      400,
      "Your metadata headers exceed the maximum allowed metadata size",
    );
  }
  for (const [name, value] of Object.entries(headers)) {
    if (keptHeaders.includes(name) || name.startsWith(metaPrefix)) kept[name] = value;
  }
  const encodings = (kept["content-encoding"] ?? "").split(",").map((encoding) => encoding.trim());
  const real = encodings.filter((encoding) => encoding !== "aws-chunked" && encoding !== "").join(",");
  if (real === "") delete kept["content-encoding"];
  else kept["content-encoding"] = real;
  return kept;
}

/** Answers GET and HEAD of an object, ranges and the two ETag conditions included. */
export async function handleRead(exchange: Exchange): Promise<void> {
  const { store, request, response } = exchange;
  const object = store.find(request.bucket, request.key);
  if (object === undefined) throw noSuchKey();
  checkConditions(request.headers, object.etag);
  const range = parseRange(request.headers.range, object.size);
  const headers: Record<string, string> = {
    "content-type": "binary/octet-stream",
    ...object.headers,
    "accept-ranges": "bytes",
    "content-length": String(range.end - range.start),
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modifiedMs).toUTCString(),
  };
  if (range.isPartial) headers["content-range"] = `bytes ${range.start}-${range.end - 1}/${object.size}`;
  response.writeHead(range.isPartial ? 206 : 200, headers);
  if (request.method === "HEAD") response.end();
  else await sendFile(exchange, store.path(object.file), range);
}

/** Answers PUT of an object: body first, then the ETag. */
export async function handlePut(exchange: Exchange): Promise<void> {
  const { store, request } = exchange;
  const { bucket, key, headers } = request;
  if (!store.hasBucket(bucket)) throw noSuchBucket();
  if (Buffer.byteLength(key) > keyBytesMax) throw new S3Error("KeyTooLongError", 400, "Your key is too long");
  const body = await receiveBody(exchange);
  if (headers["if-none-match"] === "*" && store.find(bucket, key) !== undefined) {
    store.discard(body.file);
    throw preconditionFailed();
  }
  const object = objectOf(body, objectHeaders(headers));
  store.put(bucket, key, object);
  sendEmpty(exchange, 200, { etag: `"${object.etag}"` });
}

const keyBytesMax = 1024;

/** An object whose ETag is the MD5 of its only part. */
export function objectOf(body: Body, headers: Record<string, string>): StoredObject {
  const { file, size, md5 } = body;
  return { file, size, etag: md5.toString("hex"), modifiedMs: Date.now(), headers };
}

/** Receives a request's body to disk and verifies Content-MD5 where it is given. */
export async function receiveBody({ store, message, request }: Exchange): Promise<Body> {
  const writer = store.newBody();
  try {
    await receive(message, (chunk) => writer.write(chunk));
  } catch (error) {
    writer.discard();
    throw error;
  }
  const body = writer.finish();
  const expected = request.headers["content-md5"];
  if (expected !== undefined && expected !== body.md5.toString("base64")) {
    store.discard(body.file);
    throw new S3Error("BadDigest", 400, "The Content-MD5 you specified did not match what we received.");
  }
  return body;
}

/** Answers a server-side copy: the body is shared on disk, the metadata copied or replaced. */
export async function handleCopy(exchange: Exchange): Promise<void> {
  const { store, request } = exchange;
  const { bucket, key, headers } = request;
  if (!store.hasBucket(bucket)) throw noSuchBucket();
  const source = findCopySource(store, headers);
  const isReplaced = headers["x-amz-metadata-directive"]?.toUpperCase() === "REPLACE";
  if (!isReplaced && store.find(bucket, key) === source) {
    const message = "This copy request is illegal because it changes nothing about an object.";
    throw new S3Error("InvalidRequest", 400, message);
  }
  const file = store.linkBody(source);
  // The ETag of a copy is the MD5 of the whole, also where the source was put together from parts.
  const etag = source.etag.includes("-") ? await md5Of(store, { ...source, file }) : source.etag;
  const kept = isReplaced ? objectHeaders(headers) : source.headers;
  const object = { file, size: source.size, etag, modifiedMs: Date.now(), headers: kept };
  store.put(bucket, key, object);
  const modified = element("LastModified", isoDate(object.modifiedMs));
  sendXml(exchange, "CopyObjectResult", modified + element("ETag", `"${etag}"`));
}

/** The object that x-amz-copy-source names, its conditions checked. */
export function findCopySource(store: Store, headers: Record<string, string>): StoredObject {
  const { bucket, key } = parseCopySource(headers["x-amz-copy-source"] ?? "");
  const object = store.find(bucket, key);
  if (object === undefined) throw noSuchKey();
  const expected = headers["x-amz-copy-source-if-match"];
  if (expected !== undefined && !matches(expected, object.etag)) throw preconditionFailed();
  return object;
}

async function md5Of(store: Store, object: StoredObject): Promise<string> {
  const hash = new Bun.CryptoHasher("md5");
  await store.read(object.file, { start: 0, end: object.size }, (chunk) => hash.update(chunk));
  return hash.digest("hex");
}

/** Answers DELETE of one object; that it was not there is no error. */
export function handleDelete(exchange: Exchange): void {
  exchange.store.remove(exchange.request.bucket, exchange.request.key);
  sendEmpty(exchange, 204);
}

/** Answers the deletion of up to 1,000 keys at once. */
export async function handleMultiDelete(exchange: Exchange): Promise<void> {
  const { store, message, request } = exchange;
  if (!store.hasBucket(request.bucket)) throw noSuchBucket();
  const xml = await receiveText(message);
  const keys = elements(xml, "Object").map((object) => elementText(object, "Key") ?? "");
  if (keys.length === 0 || keys.length > 1000) {
    throw new S3Error("MalformedXML", 400, "The XML you provided was not well-formed.");
  }
  const isQuiet = elementText(xml, "Quiet") === "true";
  const deleted = keys.map((key) => {
    store.remove(request.bucket, key);
    return isQuiet ? "" : `<Deleted>${element("Key", key)}</Deleted>`;
  });
  sendXml(exchange, "DeleteResult", deleted.join(""));
}

/** The half-open byte range that a Range header asks for; the whole where it is absent or not understood. */
export function parseRange(header: string | undefined, size: number) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return { start: 0, end: size, isPartial: false };
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (start >= end) throw new S3Error("InvalidRange", 416, "The requested range is not satisfiable");
  return { start, end, isPartial: true };
}

function checkConditions(headers: Record<string, string>, etag: string): void {
  const wanted = headers["if-match"];
  if (wanted !== undefined && !matches(wanted, etag)) throw preconditionFailed();
  const known = headers["if-none-match"];
  if (known !== undefined && matches(known, etag)) throw new S3Error("NotModified", 304, "Not Modified");
}

function matches(condition: string, etag: string): boolean {
  return condition === "*" || condition.replaceAll('"', "") === etag;
}

function preconditionFailed(): S3Error {
  return new S3Error(
    "PreconditionFailed",
    412,
    "At least one of the pre-conditions you specified did not hold",
  );
}
