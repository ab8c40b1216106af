import { parseRoot, type RemoteContext, resolveRemote } from "./remote-options.ts";

/**
 * The option that makes the ETags of an S3 root other than MD5s, so that rclone would ask for each object's MD5 with a
 * HEAD. Undefined where ETags are MD5s, as they are but for objects uploaded in parts. An encryption that is set in the
 * bucket alone cannot be seen here.
 *
 * | option | ETags |
 * |---|---|
 * | server_side_encryption = aws:kms, aws:kms:dsse | are not MD5s |
 * | sse_customer_algorithm, sse_customer_key, ... | are not MD5s |
 * | directory_bucket | are not MD5s |
 */
export function etagsAreNoHashes(root: string, context: RemoteContext): string | undefined {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return undefined;
  const { options } = resolveRemote(parsed, context);
  return [...options].find(([name, value]) => {
    if (name === "server_side_encryption") return value.startsWith("aws:kms");
    return /^(?:sse_customer_|directory_bucket$)/.test(name) && value !== "" && value !== "false";
  })?.[0];
}
