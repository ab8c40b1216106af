import { type ParsedRoot, splitRoot } from "./connection-string.ts";
import { backendPrefix } from "./flag-table.ts";
import type { Remotes } from "./rclone-conf.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The facts that decide how rclone reaches a remote, beside the root itself. */
export interface RemoteContext {
  remotes: Remotes;
  env: Environment;
  /** The user's flags for rclone by their long names. */
  flags: ReadonlyMap<string, string>;
}

/** The backend and options that rclone will use for a remote. */
export interface ResolvedRemote {
  /** The backend; undefined when it is not known. */
  type: string | undefined;
  options: ReadonlyMap<string, string>;
  /** Whether the backend is certain. */
  typeCertain: boolean;
  /** Whether rclone, of whatever version, uses exactly these options. */
  certain: boolean;
}

type ParsedRemote = Extract<ParsedRoot, { form: "remote" }>;

/** The deepest that remotes may wrap one another; deeper ones wrap themselves. */
export const wrapDepthMax = 16;

/** The variable that sets an option of one remote; the remote's name keeps its dashes in it. */
function remoteVariable(remote: ParsedRemote, option: string): string {
  return `RCLONE_CONFIG_${upper(`${remote.inline ? ":" : ""}${remote.name}_${option.replaceAll("-", "_")}`)}`;
}

/** A text in upper case as Go makes it: a letter becomes one other letter, or stays. */
function upper(text: string): string {
  return [...text]
    .map((letter) => ([...letter.toUpperCase()].length === 1 ? letter.toUpperCase() : letter))
    .join("");
}

/** The backend of a remote, from the connection string, the remote's variable, or rclone.conf. */
export function remoteType(
  remote: ParsedRemote,
  context: Pick<RemoteContext, "remotes" | "env">,
): string | undefined {
  return statedType(remote, context.env) ?? (context.remotes.get(remote.name)?.get("type") || undefined);
}

/** The backend of a remote as far as it is known without rclone.conf. */
function statedType(remote: ParsedRemote, env: Environment): string | undefined {
  if (remote.inline) return remote.name;
  return remote.options.findLast(({ name }) => name === "type")?.value ?? env[remoteVariable(remote, "type")];
}

/**
 * The options of a remote. Each comes from the first of these that has it (rclone's fs/configmap.go):
 *
 * | from | as |
 * |---|---|
 * | the connection string | `name,endpoint=...:` |
 * | a flag | --s3-endpoint |
 * | the remote's variable | RCLONE_CONFIG_NAME_ENDPOINT |
 * | the backend's variable | RCLONE_S3_ENDPOINT; not certain beside the remote's, since newer rclones let it win |
 * | rclone.conf | endpoint; an empty value counts as none |
 */
export function resolveRemote(remote: ParsedRemote, context: RemoteContext): ResolvedRemote {
  const type = remoteType(remote, context);
  const { env, flags } = context;
  const options = new Map<string, string>();
  let certain = context.remotes.certain;
  for (const [name, value] of context.remotes.get(remote.name) ?? []) {
    if (value !== "" && !remote.inline) options.set(name, value);
  }
  const own = remoteVariable(remote, "");
  const prefix = type === undefined ? undefined : backendPrefix(type);
  for (const [from, of] of [
    ["backend", prefix === undefined ? undefined : `RCLONE_${upper(prefix)}_`],
    ["remote", own],
  ] as const) {
    for (const [variable, value] of Object.entries(env)) {
      if (of === undefined || value === undefined || !variable.startsWith(of)) continue;
      const name = variable.slice(of.length).toLowerCase();
      const backends = `RCLONE_${prefix === undefined ? "" : upper(prefix)}_${upper(name)}`;
      if (from === "remote" && env[backends] !== undefined && env[backends] !== value) certain = false;
      options.set(name, value);
    }
  }
  for (const [flag, value] of flags) {
    if (prefix !== undefined && flag.startsWith(`${prefix}-`)) {
      options.set(flag.slice(prefix.length + 1).replaceAll("-", "_"), value);
    }
  }
  for (const { name, value } of remote.options) options.set(name, value);
  const typeCertain = context.remotes.certain || statedType(remote, env) !== undefined;
  return { type, options, typeCertain, certain };
}

/** Takes apart a root that was checked before. A root that rclone could not read counts as a path. */
export function parseRoot(root: string): ParsedRoot {
  const split = splitRoot(root);
  return split.form === "none" ? { form: "posix", path: root } : split;
}
