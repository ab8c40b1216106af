import { encodeStrictly } from "./auth.ts";
import { noSuchBucket, notImplemented, S3Error } from "./errors.ts";
import { listPage } from "./listing.ts";
import { type Exchange, sendEmpty, sendXml } from "./reply.ts";
import { element, isoDate } from "./xml.ts";

/** Answers calls on the service or on a bucket: listings, location, versioning, existence, creation. */
export function handleBucket(exchange: Exchange): void {
  const { store, request } = exchange;
  const { method, bucket, query } = request;
  if (bucket === "") {
    if (method !== "GET") throw notImplemented(`${method} of the service`);
    const buckets = store.bucketList().map(({ name, createdMs }) => {
      return `<Bucket>${element("Name", name)}${element("CreationDate", isoDate(createdMs))}</Bucket>`;
    });
    sendXml(exchange, "ListAllMyBucketsResult", `${owner}<Buckets>${buckets.join("")}</Buckets>`);
    return;
  }
  if (method === "PUT") {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
      throw new S3Error("InvalidBucketName", 400, "The specified bucket is not valid.");
    }
    const message = "Your previous request to create the named bucket succeeded and you already own it.";
    if (store.hasBucket(bucket)) throw new S3Error("BucketAlreadyOwnedByYou", 409, message);
    store.createBucket(bucket);
    sendEmpty(exchange, 200, { location: `/${bucket}` });
    return;
  }
  if (!store.hasBucket(bucket)) throw noSuchBucket();
  if (method === "HEAD") {
    sendEmpty(exchange, 200, { "x-amz-bucket-region": exchange.region });
  } else if (method === "DELETE") {
    if (store.keys(bucket).length > 0) {
      throw new S3Error("BucketNotEmpty", 409, "The bucket you tried to delete is not empty");
    }
    store.dropBucket(bucket);
    sendEmpty(exchange, 204);
  } else if (method !== "GET") {
    throw notImplemented(`${method} of a bucket`);
  } else if (query.has("location")) {
    sendXml(exchange, "LocationConstraint", exchange.region);
  } else if (query.has("versioning")) {
    sendXml(exchange, "VersioningConfiguration", "");
  } else if (query.has("uploads")) {
    exchange.uploads.sendList(exchange);
  } else {
    sendListing(exchange);
  }
}

const keysPerPageMax = 1000;
const owner = "<Owner><ID>owner</ID><DisplayName>owner</DisplayName></Owner>";

/** Answers ListObjects and ListObjectsV2. */
function sendListing(exchange: Exchange): void {
  const { store, request } = exchange;
  const { bucket, query } = request;
  const isV2 = query.get("list-type") === "2";
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const maxKeys = parseMaxKeys(query.get("max-keys"));
  const token = query.get("continuation-token");
  const marker = query.get(isV2 ? "start-after" : "marker") ?? "";
  const after = isV2 && token !== undefined ? Buffer.from(token, "base64url").toString("utf8") : marker;
  const page = listPage(store.keys(bucket), { prefix, delimiter, after, maxKeys });

  const isEncoded = query.get("encoding-type") === "url";
  // Slashes stay readable; a space is %20, which decoders of both query and path style understand.
  const encode = (text: string) => (isEncoded ? encodeStrictly(text).replaceAll("%2F", "/") : text);
  const withOwner = !isV2 || query.get("fetch-owner") === "true";
  const parts = [
    element("Name", bucket),
    element("Prefix", encode(prefix)),
    element("MaxKeys", maxKeys),
    element("IsTruncated", page.next !== null),
  ];
  if (delimiter !== "") parts.push(element("Delimiter", encode(delimiter)));
  if (isEncoded) parts.push(element("EncodingType", "url"));
  if (isV2) {
    parts.push(element("KeyCount", page.keys.length + page.commonPrefixes.length));
    if (token !== undefined) parts.push(element("ContinuationToken", token));
    if (marker !== "") parts.push(element("StartAfter", encode(marker)));
    if (page.next !== null) {
      parts.push(element("NextContinuationToken", Buffer.from(page.next).toString("base64url")));
    }
  } else {
    parts.push(element("Marker", encode(marker)));
    // S3 names the next marker only with a delimiter; without one clients take the last key.
    if (page.next !== null && delimiter !== "") parts.push(element("NextMarker", encode(page.next)));
  }
  for (const key of page.keys) {
    const object = store.find(bucket, key);
    if (object === undefined) continue;
    const storageClass = object.headers["x-amz-storage-class"] ?? "STANDARD";
    parts.push(
      `<Contents>${element("Key", encode(key))}${element("LastModified", isoDate(object.modifiedMs))}` +
        `${element("ETag", `"${object.etag}"`)}${element("Size", object.size)}${withOwner ? owner : ""}` +
        `${element("StorageClass", storageClass)}</Contents>`,
    );
  }
  for (const group of page.commonPrefixes) {
    parts.push(`<CommonPrefixes>${element("Prefix", encode(group))}</CommonPrefixes>`);
  }
  sendXml(exchange, "ListBucketResult", parts.join(""));
}

function parseMaxKeys(text: string | undefined): number {
  if (text === undefined) return keysPerPageMax;
  if (!/^[0-9]{1,9}$/.test(text)) throw new S3Error("InvalidArgument", 400, "max-keys is not a number.");
  return Math.min(Number(text), keysPerPageMax);
}
