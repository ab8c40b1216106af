import type { ParsedRoot } from "./connection-string.ts";
import type { Remotes } from "./rclone-conf.ts";
import { parseRoot, type RemoteContext, remoteType, resolveRemote } from "./remote-options.ts";
import { parseSize } from "./sizes.ts";

/** The kind of the place that a root names, as far as xfer needs to tell them apart. */
export type RootKind = "s3" | "posix" | "other";

type ParsedRemote = Extract<ParsedRoot, { form: "remote" }>;

/**
 * The kind of a root, from its connection string, then from RCLONE_CONFIG_<NAME>_TYPE in the environment, then from
 * rclone.conf. A remote that wraps another (crypt, alias, union) is "other", since it need not behave as S3 does.
 */
export function rootKind(root: string, remotes: Remotes, env: RemoteContext["env"]): RootKind {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return "posix";
  return remoteType(parsed, { remotes, env }) === "s3" ? "s3" : "other";
}

/** The size from which a server-side copy to this root goes in parts, where the remote or the user says it. */
export function copyCutoffOf(root: string, context: RemoteContext): number | undefined {
  const parsed = parseRoot(root);
  if (parsed.form === "posix") return undefined;
  const said = resolveRemote(parsed, context).options.get("copy_cutoff");
  return said === undefined ? undefined : parseSize(said);
}

/** Options that may differ between two remotes that are one account at one place. */
const tuning: ReadonlySet<string> = new Set(
  (
    "type description acl bucket_acl storage_class chunk_size upload_cutoff upload_concurrency max_upload_parts copy_cutoff " +
    "list_chunk list_version no_check_bucket no_head no_head_object disable_checksum"
  ).split(" "),
);

/**
 * Whether one S3 endpoint holds both roots for the same account. With "same-remote" rclone copies on the server by itself,
 * with "same-endpoint" it needs --server-side-across-configs, with "apart" it cannot. Two remotes are one endpoint only
 * when all options that rclone will use for them are known and equal.
 */
export function serverSide(
  source: string,
  dest: string,
  context: RemoteContext,
): "same-remote" | "same-endpoint" | "apart" {
  const [one, other] = [parseRoot(source), parseRoot(dest)];
  if (one.form !== "remote" || other.form !== "remote") return "apart";
  const [a, b] = [resolveRemote(one, context), resolveRemote(other, context)];
  if (a.type !== "s3" || b.type !== "s3") return "apart";
  const stated = ({ name, inline, options }: ParsedRemote) => JSON.stringify([name, inline, options]);
  if (stated(one) === stated(other)) return "same-remote";
  if (!a.certain || !b.certain) return "apart";
  const names = [...new Set([...a.options.keys(), ...b.options.keys()])].filter((name) => !tuning.has(name));
  return names.every((name) => a.options.get(name) === b.options.get(name)) ? "same-endpoint" : "apart";
}

/** The full name of an object from its root and its key. */
export function joinRoot(root: string, path: string): string {
  return /[:/]$/.test(root) ? root + path : `${root}/${path}`;
}
