import { handleBucket } from "./buckets.ts";
import { noSuchBucket, notImplemented } from "./errors.ts";
import { handleCopy, handleDelete, handleMultiDelete, handlePut, handleRead } from "./objects.ts";
import type { Exchange } from "./reply.ts";

/** Sub-resources that are answered neither of buckets nor of objects. */
const unsupported = [
  "acl",
  "attributes",
  "cors",
  "encryption",
  "legal-hold",
  "lifecycle",
  "notification",
  "object-lock",
  "ownershipControls",
  "policy",
  "replication",
  "restore",
  "retention",
  "select",
  "tagging",
  "torrent",
  "versions",
  "website",
];

/** Answers one request that is authentic and free of faults; throws S3Error for what S3 refuses. */
export async function dispatch(exchange: Exchange): Promise<void> {
  const { request, store, uploads } = exchange;
  const { method, bucket, key, kind, query } = request;
  const missing = unsupported.find((name) => query.has(name));
  if (missing !== undefined) throw notImplemented(missing);
  if (kind === "DELETE" && key === "") return handleMultiDelete(exchange);
  if (key === "") return handleBucket(exchange);
  if (!store.hasBucket(bucket)) throw noSuchBucket();
  switch (method) {
    case "GET":
    case "HEAD":
      if (query.has("uploadId")) throw notImplemented("ListParts");
      return handleRead(exchange);
    case "PUT":
      if (kind === "PART") return uploads.handlePart(exchange);
      if (kind === "PUT") return handlePut(exchange);
      return query.has("uploadId") ? uploads.handlePartCopy(exchange) : handleCopy(exchange);
    case "POST":
      return uploads.handlePost(exchange);
    case "DELETE":
      return query.has("uploadId") ? uploads.handleAbort(exchange) : handleDelete(exchange);
    default:
      throw notImplemented(method);
  }
}
