/** The error of an S3 server in one of rclone's messages. */
export interface S3Failure {
  /** The part of the message before the error: `Failed to copy: failed to open source object`. */
  before: string;
  /** The error's code, such as AccessDenied; undefined without an answer, and for an answer that is no S3 error. */
  code: string | undefined;
  /** The HTTP status; 0 without an answer. */
  status: number;
  /** The server's message, or why there was no answer. */
  said: string;
  /** The request, such as PutObject, where rclone names it. */
  operation: string | undefined;
}

/** A message of AWS SDK v2, which rclone has since 1.65. */
const v2 =
  /^([\s\S]*?)operation error S3: (\w+), [\s\S]*?https response error StatusCode: (\d+), RequestID: [^,]*, HostID: [^,]*, ([\s\S]*)$/;
/** A message of AWS SDK v1. */
const v1 =
  /^([\s\S]*?)\s+status code: (\d+)(?:, request id:[^,\n]*)?(?:, host id:[^\n]*)?(?:\ncaused by: ([\s\S]*))?$/;
/** A message of AWS SDK v1 about a request without an answer. */
const v1Unsent = /^([\s\S]*?)RequestError: send request failed\s+caused by: ([\s\S]*)$/;

const codeAndWords = /^(?:api error )?([A-Z][A-Za-z0-9.]*): ([\s\S]*)$/;

/** Reads the error of an S3 server out of a message; undefined for a message without one. */
export function s3Failure(message: string): S3Failure | undefined {
  const newer = v2.exec(message);
  if (newer) {
    const [, before = "", operation, status, rest = ""] = newer;
    const answer = codeAndWords.exec(rest);
    const said = answer?.[2] ?? rest.replace(/^request send failed, /, "");
    return { before: cut(before), code: answer?.[1], status: Number(status), said, operation };
  }
  const unsent = v1Unsent.exec(message);
  if (unsent) {
    const [, before = "", said = ""] = unsent;
    return { before: cut(before), code: undefined, status: 0, said, operation: undefined };
  }
  const older = v1.exec(message);
  if (!older) return undefined;
  const [, text = "", status, by] = older;
  const at = /(?:^|: )(?=[A-Z][A-Za-z0-9.]*: )/.exec(text);
  const before = at ? text.slice(0, at.index) : "";
  const answer = codeAndWords.exec(at ? text.slice(at.index + at[0].length) : text);
  const said = `${answer?.[2] ?? text}${by === undefined ? "" : `: ${by}`}`;
  // SerializationError is the SDK's own code for an answer that it could not read.
  const code = answer?.[1] === "SerializationError" ? undefined : answer?.[1];
  return { before, code, status: Number(status), said, operation: undefined };
}

const cut = (before: string): string => before.replace(/:\s*$/, "");
