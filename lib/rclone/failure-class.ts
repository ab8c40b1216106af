/** Why objects were not copied, in the order in which a shard's class is chosen from those of its objects. */
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

/** Text that rclone, the S3 backend, srun or the kernel print, and the class it means; the first match counts. */
const table: readonly (readonly [RegExp, FailureClass])[] = [
  [
    /didn't find section in config file|couldn't find type field|unknown (?:long )?flag|unknown shorthand flag|failed to load config file|couldn't find backend|config file .* not found: /i,
    "config",
  ],
  [
    /unable to (?:load|decrypt) (?:configuration|config)|unable to load custom CA bundle|too many arguments|invalid argument .* for .* flag/i,
    "config",
  ],
  [/NoSuchBucket/i, "config"],
  // apptainer's own words, before what they quote: an image or a bind that is not there is no missing object.
  [/^FATAL:/, "container"],
  [/rclone was not found|srun was not found|apptainer was not found/i, "config"],
  [
    /NoSuchKey|object not found|no such file or directory|directory not found|status ?code: 404|NotFound: Not Found/i,
    "missing",
  ],
  [
    /no space left on device|too big for remaining disk space|ENOSPC|disk quota exceeded|EDQUOT|QuotaExceeded|XMinioStorageFull|InsufficientStorage|status ?code: 507/i,
    "destination-full",
  ],
  [
    /InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|AccessDenied|status ?code: 40[13]\b|NoCredentialProviders|Forbidden|permission denied/i,
    "auth",
  ],
  [
    /SlowDown|TooManyRequests|RequestLimitExceeded|Throttl|status ?code: (?:429|503)\b|ServiceUnavailable|connection refused/i,
    "throttled",
  ],
  [/pyxis|enroot|--container-|minibox|container image|squashfs|couldn't chdir|mount source/i, "container"],
  // What no repetition cures, and what is about one object: its name, or what stands in its place.
  [
    /too many levels of symbolic links|file name too long|KeyTooLongError|MetadataTooLarge|is a directory|not a directory|partial file rename failed: can't move object/i,
    "path",
  ],
  [
    /connection reset|broken pipe|i\/o timeout|TLS handshake|no such host|network is unreachable|unexpected EOF|\bEOF\b|RequestError|timeout|deadline exceeded|status ?code: 5\d\d|InternalError/i,
    "network",
  ],
];

/** The class of one message of rclone or of the container runtime; "unknown" when none of the known texts is in it. */
export function classifyMessage(message: string): FailureClass {
  return table.find(([pattern]) => pattern.test(message))?.[1] ?? "unknown";
}

/** What only the user cures. */
const forTheUser: ReadonlySet<FailureClass> = new Set([
  "auth",
  "config",
  "missing",
  "path",
  "untransferable",
]);

/** Whether running again, with nothing changed by the user, can cure a failure of this class. */
export function canPass(failure: FailureClass): boolean {
  return !forTheUser.has(failure);
}

/** The class of a shard whose objects failed with these classes: the one that needs the user first. */
export function worstClass(classes: Iterable<FailureClass>): FailureClass {
  const seen = new Set(classes);
  return failureClasses.find((failure) => seen.has(failure)) ?? "unknown";
}

/** How srun reports that its task has ended: it says less than what came before it. */
const exitNotice = /^srun: error: \S+: task \d+: /;

/**
 * The message, of those that are about no single object, that tells most: the first of a container that did not start
 * (more follow from it), else the last that is not merely that the step has ended.
 */
export function tellingMessage(messages: readonly string[]): string | undefined {
  return (
    messages.find((message) => classifyMessage(message) === "container") ??
    messages.findLast((message) => !exitNotice.test(message)) ??
    messages.at(-1)
  );
}
