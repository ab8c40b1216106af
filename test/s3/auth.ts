import { createHash, createHmac } from "node:crypto";
import { S3Error } from "./errors.ts";
import type { S3Request } from "./request.ts";

/** The one key pair that an endpoint accepts. */
interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

interface Signature {
  /** Key id, date, region, service and "aws4_request". */
  credential: string;
  signedHeaders: string;
  signature: string;
  timestamp: string;
  payloadHash: string;
  query: [string, string][];
}

/** Throws what S3 answers when key id or signature (version 4, in a header or presigned) are not right. */
export function authenticate(request: S3Request, credentials: Credentials, now: Date): void {
  const signed = request.headers.authorization === undefined ? presigned(request, now) : fromHeader(request);
  const [keyId, date, region, service] = signed.credential.split("/");
  if (keyId !== credentials.accessKeyId) {
    throw new S3Error(
      "InvalidAccessKeyId",
      403,
      "The access key id you provided does not exist in our records.",
    );
  }
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = signingKey(credentials.secretAccessKey, scope);
  const matches = canonicalPaths(request.rawPath).some((path) => {
    const hashed = createHash("sha256")
      .update(canonicalRequest(request, signed, path), "latin1")
      .digest("hex");
    const text = `AWS4-HMAC-SHA256\n${signed.timestamp}\n${scope}\n${hashed}`;
    return createHmac("sha256", key).update(text).digest("hex") === signed.signature;
  });
  if (!matches) {
    const message = "The request signature we calculated does not match the signature you provided.";
    throw new S3Error("SignatureDoesNotMatch", 403, message);
  }
}

function fromHeader(request: S3Request): Signature {
  const { headers } = request;
  const match = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(headers.authorization ?? "");
  if (match === null) throw new S3Error("InvalidRequest", 400, "Only AWS4-HMAC-SHA256 is supported.");
  const fields = new Map<string, string>();
  for (const part of (match[1] ?? "").split(",")) {
    const at = part.indexOf("=");
    fields.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  return {
    credential: fields.get("Credential") ?? "",
    signedHeaders: fields.get("SignedHeaders") ?? "",
    signature: fields.get("Signature") ?? "",
    timestamp: headers["x-amz-date"] ?? "",
    payloadHash: headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
    query: request.parameters,
  };
}

function presigned(request: S3Request, now: Date): Signature {
  const { query, headers } = request;
  const credential = query.get("X-Amz-Credential");
  if (credential === undefined) throw new S3Error("AccessDenied", 403, "Access Denied");
  const timestamp = query.get("X-Amz-Date") ?? "";
  const signedAt = Date.parse(
    timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  if (!(now.getTime() <= signedAt + Number(query.get("X-Amz-Expires")) * 1000)) {
    throw new S3Error("AccessDenied", 403, "Request has expired");
  }
  return {
    credential,
    signedHeaders: query.get("X-Amz-SignedHeaders") ?? "",
    signature: query.get("X-Amz-Signature") ?? "",
    timestamp,
    payloadHash: query.get("X-Amz-Content-Sha256") ?? headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD",
    query: request.parameters.filter(([name]) => name !== "X-Amz-Signature"),
  };
}

/** Header values are bytes, which node hands over as Latin-1; all else that is signed is ASCII. Clients sign the path as they send it, or encoded in the strict form: either is a proof of the secret. */
function canonicalPaths(rawPath: string): string[] {
  const strict = rawPath.split("/").map((part) => encodeStrictly(decodeURIComponent(part)));
  return [rawPath, strict.join("/")];
}

function canonicalRequest(request: S3Request, signed: Signature, path: string): string {
  const query = signed.query.map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`);
  const headers = signed.signedHeaders.split(";").map((name) => {
    return `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`;
  });
  return [
    request.method,
    path,
    query.sort().join("&"),
    headers.join(""),
    signed.signedHeaders,
    signed.payloadHash,
  ].join("\n");
}

/** Percent-encodes all but the unreserved characters, as RFC 3986 names them. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const signingKeys = new Map<string, Buffer>();
const signingKeysMax = 100;

function signingKey(secret: string, scope: string): Buffer {
  const cached = signingKeys.get(`${secret} ${scope}`);
  if (cached !== undefined) return cached;
  let key = Buffer.from(`AWS4${secret}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  if (signingKeys.size >= signingKeysMax) signingKeys.clear();
  signingKeys.set(`${secret} ${scope}`, key);
  return key;
}
