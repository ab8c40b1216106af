import { splitRoot } from "./connection-string.ts";
import { backendPrefix } from "./flag-table.ts";
import { below, wrappers } from "./local-ends.ts";
import { type RemoteContext, resolveRemote, wrapDepthMax } from "./remote-options.ts";

/** The bucket in which the objects of a root lie, maybe under other names. */
export interface Bucket {
  name: string;
  /** The backend that holds it, as rclone names it. */
  type: string;
}

/**
 * Backends whose roots begin with a bucket. Their prefixes need not be made, so that rclone's "directory not found" of a
 * root is about its bucket.
 */
const bucketBackends: ReadonlySet<string> = new Set([
  ...["s3", "google cloud storage", "azureblob", "b2", "swift", "oracleobjectstorage", "qingstor"],
]);

/**
 * The bucket that a root lies in:
 *
 * | root | bucket |
 * |---|---|
 * | a remote of an object store | the first name of its path; none without a path, since its keys begin with buckets |
 * | alias | the bucket of its remote, with the path below it |
 * | crypt, chunker, compress, hasher, archive | the bucket of its remote |
 * | a path, another or unknown backend, union and the like | none |
 */
export function bucketOf(root: string, context: RemoteContext, depth = 0): Bucket | undefined {
  const parsed = splitRoot(root);
  if (parsed.form !== "remote" || depth > wrapDepthMax) return undefined;
  const { type, options } = resolveRemote(parsed, context);
  if (type === undefined) return undefined;
  if (bucketBackends.has(type)) {
    const name = /^\/*([^/]+)/.exec(parsed.path)?.[1];
    return name === undefined ? undefined : { name, type };
  }
  const remote = options.get("remote");
  if (remote === undefined) return undefined;
  if (type === "alias") return bucketOf(below(remote, parsed.path), context, depth + 1);
  return wrappers.has(type) ? bucketOf(remote, context, depth + 1) : undefined;
}

/** The option of a backend that keeps rclone from making a bucket: https://rclone.org/s3/#s3-no-check-bucket */
const noCheckOptions: ReadonlyMap<string, string> = new Map([
  ["s3", "no-check-bucket"],
  ["google cloud storage", "no-check-bucket"],
  ["oracleobjectstorage", "no-check-bucket"],
  ["azureblob", "no-check-container"],
]);

/** The flags with which rclone makes a bucket even where the remote's configuration says that it never looks for one. */
export function makesBucketFlags(bucket: Bucket | undefined): string[] {
  const option = bucket && noCheckOptions.get(bucket.type);
  return option === undefined || !bucket ? [] : [`--${backendPrefix(bucket.type)}-${option}=false`];
}
