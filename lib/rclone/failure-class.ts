import { s3Failure } from "./s3-failure.ts";

/** Why objects were not copied. A shard's class is the first of these that one of its objects has. */
export const failureClasses = [
  "auth",
  "config",
  "destination-full",
  "container",
  "throttled",
  "network",
  "unknown",
  "path",
  "untransferable",
  "missing",
] as const;

export type FailureClass = (typeof failureClasses)[number];

type Rule = readonly [RegExp, FailureClass];

/** The codes of S3 errors, also of other stores that speak S3. An error whose code is in no row is judged by its status. */
const s3Codes: readonly Rule[] = [
  [/^NoSuchKey$|^NoSuchVersion$|^NotFound$/, "missing"],
  [
    /^(?:NoSuchBucket|InvalidBucketName|PermanentRedirect|BucketRegionError|IllegalLocationConstraintException)$/,
    "config",
  ],
  [
    /^(?:AuthorizationHeaderMalformed|AuthorizationQueryParametersError|InvalidRegion|InvalidLocationConstraint)$/,
    "config",
  ],
  [/^(?:NotImplemented|MethodNotAllowed|InvalidArgument|MalformedXML|InvalidStorageClass)$/, "config"],
  [/^(?:InvalidEncryptionAlgorithmError|KMS\..*|BucketAlreadyExists|TooManyBuckets)$/, "config"],
  [
    /^(?:QuotaExceeded|StorageQuotaExceeded|XMinioStorageFull|XMinioAdminBucketQuotaExceeded|InsufficientStorage)$/,
    "destination-full",
  ],
  [/^(?:KeyTooLongError|InvalidURI|XMinioInvalidObjectName|XMinioParentIsObject|MetadataTooLarge)$/, "path"],
  [/^(?:EntityTooLarge|EntityTooSmall|InvalidObjectState)$/, "path"],
  [/^(?:InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|AccessDenied)$/, "auth"],
  [/^(?:RequestTimeTooSkewed|AccountProblem|AllAccessDisabled|InvalidSecurity|Forbidden)$/, "auth"],
  [/^(?:SlowDown.*|TooManyRequests|RequestLimitExceeded|Throttl.*|ServiceUnavailable|Busy)$/, "throttled"],
  // NoSuchUpload: the answer to the end of an upload in parts was lost, or rclone gave the upload up. It is made anew.
  [/^(?:InternalError|RequestTimeout|IncompleteBody|NoSuchUpload)$/, "network"],
];

/** The last words of an error of the operating system, as Go and Node write them. */
const errnoTexts: readonly Rule[] = [
  [/no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i, "destination-full"],
  // A missing permission and a file system that is mounted for reading only: a person has to mend both.
  [/permission denied|operation not permitted|read-only file system|EACCES|EPERM|EROFS/i, "auth"],
  // These are about one object: its name, its size, or another thing in its place.
  [
    /too many levels of symbolic links|file name too long|is a directory|not a directory|file too large/i,
    "path",
  ],
  [/value too large for defined data type|ELOOP|ENAMETOOLONG|EISDIR|ENOTDIR|EFBIG|EOVERFLOW/i, "path"],
  [/no such file or directory|ENOENT/i, "missing"],
  // A server of files that went away may come back.
  [
    /stale (?:nfs )?file handle|transport endpoint|remote i\/o error|host is down|no route to host/i,
    "network",
  ],
  [/connection (?:refused|reset by peer|timed out)|network is unreachable|broken pipe/i, "network"],
  [/ESTALE|ENOTCONN|ESHUTDOWN|EREMOTEIO|EHOSTDOWN|ECONNREFUSED|ECONNRESET|ETIMEDOUT/, "network"],
  [/input\/output error|EIO/, "unknown"],
];

/** Texts that rclone, its S3 backend, srun or a container print, and their classes; the first match counts. */
const table: readonly Rule[] = [
  [
    /didn't find section in config file|couldn't find type field|unknown (?:long )?flag|unknown shorthand flag|failed to load config file|couldn't find backend|config file .* not found: /i,
    "config",
  ],
  [
    /unable to (?:load|decrypt) (?:configuration|config)|unable to load custom CA bundle|too many arguments|invalid argument .* for .* flag/i,
    "config",
  ],
  [/NoSuchBucket|InvalidBucketName|unsupported protocol scheme/i, "config"],
  // The server at the endpoint is not the one that the configuration describes, which no repetition changes.
  [
    /x509: |certificate (?:is|has|signed)|server gave HTTP response to HTTPS client|does not look like a TLS handshake|HTTP request to an HTTPS server/,
    "config",
  ],
  // apptainer's own words come before the texts that they quote: a missing image or bind is no missing object.
  [/^FATAL:/, "container"],
  [/rclone was not found|srun was not found|apptainer was not found/i, "config"],
  [/cannot be made: (?:ENOTDIR|EEXIST|ELOOP|ENAMETOOLONG|EINVAL)/, "config"],
  // Slurm could not reach its own parts: a busy controller, a node that does not answer.
  [
    /Job credential expired|Unable to confirm allocation|Socket timed out on send\/recv|Communication connection failure/i,
    "network",
  ],
  [/Object in GLACIER|restore first/, "path"],
  [
    /NoSuchKey|object not found|no such file or directory|directory not found|status ?code: 404|NotFound: Not Found/i,
    "missing",
  ],
  [
    /no space left on device|too big for remaining disk space|ENOSPC|disk quota exceeded|EDQUOT|QuotaExceeded|XMinioStorageFull|InsufficientStorage|status ?code: 507/i,
    "destination-full",
  ],
  [
    /InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|AccessDenied|status ?code: 40[13]\b|NoCredentialProviders|Forbidden|permission denied|read-only file system/i,
    "auth",
  ],
  [
    /SlowDown|TooManyRequests|RequestLimitExceeded|Throttl|status ?code: (?:429|503)\b|ServiceUnavailable/i,
    "throttled",
  ],
  [/pyxis|enroot|--container-|minibox|container image|squashfs|couldn't chdir|mount source/i, "container"],
  // These are about one object, its name or another thing in its place, and no repetition cures them.
  [
    /too many levels of symbolic links|file name too long|KeyTooLongError|MetadataTooLarge|is a directory|not a directory|partial file rename failed: can't move object/i,
    "path",
  ],
  [
    /connection (?:reset|refused|timed out)|broken pipe|i\/o timeout|TLS handshake|no such host|network is unreachable|unexpected EOF|\bEOF\b|RequestError|timeout|deadline exceeded|status ?code: 5\d\d|InternalError/i,
    "network",
  ],
];

const find = (rules: readonly Rule[], text: string): FailureClass | undefined =>
  rules.find(([pattern]) => pattern.test(text))?.[1];

/** The class of an HTTP status, for errors whose code is not known. */
function classOfStatus(status: number): FailureClass | undefined {
  if (status === 401 || status === 403) return "auth";
  if (status === 404) return "missing";
  if (status === 413) return "path";
  if (status === 405 || status === 501 || (status >= 301 && status <= 308)) return "config";
  if (status === 429 || status === 503) return "throttled";
  if (status === 507) return "destination-full";
  return status >= 500 && status <= 599 ? "network" : undefined;
}

/**
 * The class of one message of rclone or of the container runtime; "unknown" for a message without any known text.
 *
 * | message | class |
 * |---|---|
 * | is an S3 error | that of its code; else that of its HTTP status |
 * | ends with an error of the operating system (`open NAME: ...`, `EACCES: ...`) | that of the error, whatever NAME is |
 * | any other | that of the first known text in the message, addresses left out |
 */
export function classifyMessage(message: string): FailureClass {
  const s3 = s3Failure(message);
  if (s3) {
    const known = find(s3Codes, s3.code ?? "") ?? classOfStatus(s3.status);
    if (known) return known;
  }
  const text = message.replace(/"https?:\/\/[^"]*"/g, '""');
  return find(errnoTexts, errnoOfText(text)) ?? find(table, text) ?? "unknown";
}

/** The error of the operating system in a message: Go puts it after a name, Node before it. Empty for other messages. */
function errnoOfText(text: string): string {
  if (text.startsWith("FATAL:")) return "";
  const ofNode = /^(E[A-Z0-9]+): [a-z]/.exec(text)?.[1];
  if (ofNode !== undefined) return ofNode;
  const ofGo =
    /\b(?:open|openat|l?stat|mkdir|write|read|rename|remove|chtimes|chmod|readlink|truncate|sync|close|fallocate|connect|dial \w+) ?[^\n]*: ([^:\n]+)$/;
  return ofGo.exec(text)?.[1] ?? "";
}

/** The failures that only the user can cure. */
const forTheUser: ReadonlySet<FailureClass> = new Set([
  "auth",
  "config",
  "missing",
  "path",
  "untransferable",
]);

/** Whether another try can cure a failure of this class, with nothing changed by the user. */
export function isTransient(failure: FailureClass): boolean {
  return !forTheUser.has(failure);
}

/** The class of a shard whose objects failed with these classes: the one that most needs the user. */
export function worstClass(classes: Iterable<FailureClass>): FailureClass {
  const seen = new Set(classes);
  return failureClasses.find((failure) => seen.has(failure)) ?? "unknown";
}
