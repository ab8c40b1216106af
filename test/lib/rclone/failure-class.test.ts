import { expect, test } from "bun:test";
import {
  classifyMessage,
  type FailureClass,
  failureClasses,
  isTransient,
  worstClass,
} from "../../../lib/rclone/failure-class.ts";

test("a store that asks for less is throttling, whatever its words", () => {
  const rows: [string, FailureClass][] = [
    ["SlowDown: Please reduce your request rate.", "throttled"],
    [
      "Failed to copy: failed to open source object: status code: 503, request id: x, host id: y",
      "throttled",
    ],
    ["s3 upload: 503 Service Unavailable: status code: 503", "throttled"],
    ["status code: 429, request id: x", "throttled"],
    [
      "operation error S3: PutObject, https response error StatusCode: 503, RequestID: x, HostID: y",
      "throttled",
    ],
    ["operation error S3: HeadObject, https response error StatusCode: 404, RequestID: x", "missing"],
    ["operation error S3: HeadObject, https response error StatusCode: 403, RequestID: x", "auth"],
    ["operation error S3: GetObject, https response error StatusCode: 500, RequestID: x", "network"],
    ["TooManyRequests: x", "throttled"],
    ["status code: 500, request id: x", "network"],
    ["status code: 5031", "network"],
    ["status code: 404, request id: x", "missing"],
    ["status code: 403, request id: x", "auth"],
  ];
  expect(rows.map(([message]) => [message, classifyMessage(message)])).toEqual(rows);
});

test("each known text has its class, with nothing else in the message that tells it", () => {
  const texts: Partial<Record<FailureClass, string[]>> = {
    config: [
      ...["didn't find section in config file", "couldn't find type field", "unknown flag: --x"],
      ...["unknown long flag: --x", "unknown shorthand flag: 'x'", "failed to load config file"],
      ...["tls: x509: certificate signed by unknown authority", "InvalidBucketName"],
      ...["http: server gave HTTP response to HTTPS client"],
      ...["the destination /out cannot be made: ENOTDIR: not a directory, mkdir '/out'"],
      ...["couldn't find backend", 'Config file "/c" not found: using defaults', "too many arguments"],
      ...["unable to load configuration", "unable to decrypt config", "unable to load custom CA bundle"],
      ...['invalid argument "x" for "--transfers" flag', "NoSuchBucket", "rclone was not found on PATH"],
      ...["srun was not found", "apptainer was not found"],
    ],
    container: [
      ...["FATAL: could not open image /i: no such file or directory", "pyxis: x", "enroot-mount: x"],
      ...["unrecognized option '--container-image'", "minibox", "a container image", "squashfs"],
      ...["couldn't chdir to `/x'", "mount source"],
    ],
    missing: [
      ...["NoSuchKey", "object not found", "lstat /x: no such file or directory", "directory not found"],
      ...[
        "status code: 404",
        "StatusCode: 404",
        "NotFound: Not Found",
        "said FATAL: no such file or directory",
      ],
    ],
    "destination-full": [
      ...["write /out/AccessDenied: no space left on device", "EDQUOT: disk quota exceeded, write"],
      ...["no space left on device", "too big for remaining disk space", "ENOSPC", "disk quota exceeded"],
      ...["EDQUOT", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "status code: 507"],
    ],
    auth: [
      ...["open /out/a: read-only file system", "EROFS: read-only file system, mkdir '/out'"],
      ...["EACCES: permission denied, stat '/x'", "chtimes /out/a: operation not permitted"],
      ...["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AccessDenied"],
      ...["status code: 401", "status code: 403", "NoCredentialProviders", "Forbidden", "permission denied"],
    ],
    throttled: [
      ...["SlowDown", "TooManyRequests", "RequestLimitExceeded", "Throttling", "status code: 429"],
      ...["status code: 503", "ServiceUnavailable"],
    ],
    path: [
      ...[
        'Object in GLACIER, restore first: bucket="b", key="k"',
        "ENAMETOOLONG: file name too long, open '/x'",
      ],
      ...["EISDIR: illegal operation on a directory, read", "ENOTDIR: not a directory, stat '/a/b'"],
      ...["write /out/f: file too large", "ELOOP: too many symbolic links encountered, stat '/x'"],
      ...["too many levels of symbolic links", "file name too long", "KeyTooLongError", "is a directory"],
      ...["not a directory", "partial file rename failed: can't move object"],
    ],
    network: [
      ...["connection reset by peer", "broken pipe", "i/o timeout", "TLS handshake", "no such host"],
      ...["network is unreachable", "unexpected EOF", "read: EOF", "RequestError: send", "a timeout"],
      ...["deadline exceeded", "status code: 502", "InternalError", "dial tcp: connect: connection refused"],
      ...["open /in/a: stale NFS file handle", "write /out/a: transport endpoint is not connected"],
      ...["Application launch failed: Job credential expired"],
    ],
    unknown: [
      "EIO: i/o error, read",
      "read /in/NoSuchKey: input/output error",
      'Get "http://h/b/AccessDenied": strange',
      "",
      "who knows",
      "status code: 400",
      "status code: 4031",
      "EOFs",
    ],
  };
  for (const [failure, messages] of Object.entries(texts)) {
    expect(messages.map((message) => [message, classifyMessage(message)])).toEqual(
      messages.map((message) => [message, failure as FailureClass]),
    );
  }
});

test("a shard has the class that needs the user first; some cannot pass by themselves", () => {
  const inOrder: FailureClass[] = [
    ...(["auth", "config", "destination-full", "container", "throttled", "network"] as const),
    ...(["unknown", "path", "untransferable", "missing"] as const),
  ];
  expect([...failureClasses]).toEqual(inOrder);
  expect(inOrder.map((_, rank) => worstClass(inOrder.slice(rank).reverse()))).toEqual(inOrder);
  expect(worstClass([])).toBe("unknown");
  expect(inOrder.filter(isTransient)).toEqual([
    ...(["destination-full", "container", "throttled", "network", "unknown"] as const),
  ]);
});
