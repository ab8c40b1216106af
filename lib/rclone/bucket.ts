import { splitRoot } from "./connection-string.ts";
import { backendPrefix } from "./flag-table.ts";
import { below, wrappers } from "./local-ends.ts";
import { type RemoteContext, resolveRemote } from "./remote-options.ts";

/** A bucket in which the keys of a root lie, maybe under other names. */
export interface Bucket {
  name: string;
  /** The backend that holds it, as rclone names it. */
  type: string;
}

/**
 * Backends whose roots begin with a bucket. In these a prefix is there or not without being made, so that rclone's
 * "directory not found" of a root is about its bucket.
 */
const bucketBackends: ReadonlySet<string> = new Set([
  ...["s3", "google cloud storage", "azureblob", "b2", "swift", "oracleobjectstorage", "qingstor"],
]);

/** Remotes that wrap one another are no deeper than this, unless they wrap themselves. */
const depthMax = 16;

/**
 * The bucket that a root lies in:
 *
 * | root | bucket |
 * |---|---|
 * | a remote of an object store | the first name of its path; none when it has no path: its keys begin with buckets |
 * | alias | that of its remote, with the path below it |
 * | crypt, chunker, compress, hasher, archive | that of its remote |
 * | a path, another backend, one that is not known, union and the like | none |
 */
export function bucketOf(root: string, context: RemoteContext, depth = 0): Bucket | undefined {
  const parsed = splitRoot(root);
  if (parsed.form !== "remote" || depth > depthMax) return undefined;
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

/** Backends whose option of this name keeps rclone from making a bucket: https://rclone.org/s3/#s3-no-check-bucket */
const noCheckOptions: ReadonlyMap<string, string> = new Map([
  ["s3", "no-check-bucket"],
  ["google cloud storage", "no-check-bucket"],
  ["oracleobjectstorage", "no-check-bucket"],
  ["azureblob", "no-check-container"],
]);

/** The flags with which rclone makes a bucket although the remote's own configuration says that it never looks for one. */
export function makesBucketFlags(bucket: Bucket | undefined): string[] {
  const option = bucket && noCheckOptions.get(bucket.type);
  return option === undefined || !bucket ? [] : [`--${backendPrefix(bucket.type)}-${option}=false`];
}
