import type { IncomingMessage } from "node:http";
import type { Kind } from "./counts.ts";
import { S3Error } from "./errors.ts";

/** A request taken apart by hand: no URL class, which would fold "..", "//" and encodings in keys. */
export interface S3Request {
  method: string;
  bucket: string;
  key: string;
  kind: Kind;
  rawPath: string;
  /** The decoded query, in order and as a map. */
  parameters: [string, string][];
  query: Map<string, string>;
  headers: Record<string, string>;
}

/** Takes method, target and headers apart; a target that is not valid percent-encoded UTF-8 is 400 InvalidURI. */
export function parseRequest(message: Pick<IncomingMessage, "method" | "url" | "headers">): S3Request {
  const method = message.method ?? "GET";
  const target = message.url ?? "/";
  const mark = target.indexOf("?");
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const slash = rawPath.indexOf("/", 1);
  const bucket = decodeOnce(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash));
  const key = slash < 0 ? "" : decodeOnce(rawPath.slice(slash + 1));
  const parameters = mark < 0 ? [] : parseQuery(target.slice(mark + 1));
  const query = new Map(parameters);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(",") : value;
  }
  const kind = kindOf({ method, bucket, key, query, isCopy: "x-amz-copy-source" in headers });
  return { method, bucket, key, kind, rawPath, parameters, query, headers };
}

/** Bucket and key of an x-amz-copy-source header. */
export function parseCopySource(header: string): { bucket: string; key: string } {
  const path = header.replace(/\?versionId=.*$/, "").replace(/^\//, "");
  const slash = path.indexOf("/");
  if (slash < 0) throw new S3Error("InvalidArgument", 400, "The copy source is not bucket/key.");
  return { bucket: decodeOnce(path.slice(0, slash)), key: decodeOnce(path.slice(slash + 1)) };
}

interface Shape {
  method: string;
  bucket: string;
  key: string;
  query: Map<string, string>;
  isCopy: boolean;
}

const bucketCalls = ["location", "versioning", "uploads"];

function kindOf({ method, bucket, key, query, isCopy }: Shape): Kind {
  if (key === "") {
    if (method === "POST" && query.has("delete")) return "DELETE";
    const isListing = method === "GET" && bucket !== "" && !bucketCalls.some((name) => query.has(name));
    return isListing ? "LIST" : "BUCKET";
  }
  if (method === "GET" || method === "HEAD" || method === "DELETE" || method === "POST") return method;
  if (isCopy) return "COPY";
  return query.has("uploadId") ? "PART" : "PUT";
}

function parseQuery(text: string): [string, string][] {
  return text
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const at = part.indexOf("=");
      const name = at < 0 ? part : part.slice(0, at);
      const value = at < 0 ? "" : part.slice(at + 1);
      return [decodeOnce(name.replaceAll("+", " ")), decodeOnce(value.replaceAll("+", " "))];
    });
}

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidURI", 400, "Couldn't parse the specified URI.");
  }
}
