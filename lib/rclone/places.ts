import { splitRoot } from "./connection-string.ts";
import { below, listItems } from "./local-ends.ts";
import { type RemoteContext, type ResolvedRemote, resolveRemote, wrapDepthMax } from "./remote-options.ts";

/** A place at which data of a root lies: names within one store. */
export interface Place {
  /** A text that is the same for one store only; `localStore` is this host's file tree. */
  store: string;
  /** The names from the store's top on; for a file tree those of an absolute path. */
  names: readonly string[];
  /** Whether the data lies right at the place under its own names, and not somewhere below under other names. */
  plain: boolean;
}

export const localStore = "local";

/** Backends that keep the folders of the remote that they wrap. */
const sameFolders: ReadonlySet<string> = new Set(["alias", "hasher", "chunker", "compress", "cache"]);
/** Backends that keep their data in a remote under names of their own. */
const ownNames: ReadonlySet<string> = new Set(["crypt", "archive"]);

/**
 * The places that a root names, from the outermost remote inwards. Two roots that meet at any place share data.
 *
 * | root | places |
 * |---|---|
 * | a path, or one behind a remote of type local | the path in this host's file tree |
 * | alias, hasher, chunker, compress, cache | the places of its remote, with the path below it |
 * | crypt, archive | its own path; and a place somewhere below its remote, or the whole remote where the root has no path |
 * | union | the places of all its upstreams; of a destination, without those that are read only |
 * | combine | the place of the upstream that its first name stands for; without a path, those of all upstreams |
 * | s3 | the bucket and prefix at its endpoint, for its account |
 * | another backend | the path, in the store that its options name |
 * | an unknown backend | the path, in the store of that name |
 */
export function placesOf(root: string, context: RemoteContext, role: "source" | "dest", depth = 0): Place[] {
  const parsed = splitRoot(root);
  if (parsed.form === "none") return [];
  if (parsed.form === "posix") return [localPlace(parsed.path)];
  const { name, inline, options, path } = parsed;
  const resolved = resolveRemote(parsed, context);
  const { type } = resolved;
  if (type === "local") return [localPlace(path)];
  const stated: Place = {
    store: JSON.stringify([inline ? ":" : "", name, options.map((one) => [one.name, one.value])]),
    names: namesOf(path),
    plain: true,
  };
  const inner = (roots: readonly string[]) => roots.flatMap((one) => placesOf(one, context, role, depth + 1));
  if (depth > wrapDepthMax || type === undefined) return [stated];
  const remote = resolved.options.get("remote");
  const rest = stated.names.join("/");
  if (sameFolders.has(type)) return remote === undefined ? [stated] : inner([below(remote, rest)]);
  if (ownNames.has(type)) {
    const under = remote === undefined ? [] : inner([remote]);
    return [
      stated,
      ...under.map((place) => ({ ...place, plain: place.plain && namesOf(path).length === 0 })),
    ];
  }
  const upstreams = listItems(resolved.options.get("upstreams") ?? resolved.options.get("remotes") ?? "");
  if (type === "union") {
    const used = upstreams.filter((one) => role === "source" || !one.endsWith(":ro"));
    return inner(used.map((one) => below(one.replace(/:(?:ro|nc|writeback)$/, ""), rest)));
  }
  if (type === "combine") return inner(combined(upstreams, path));
  const store = storeOf(resolved);
  return [stated, ...(store === undefined ? [] : [{ ...stated, store }])];
}

/** The roots that a path of a combine remote stands for, by its `folder=root` items. */
function combined(upstreams: readonly string[], path: string): string[] {
  const names = namesOf(path);
  return upstreams.flatMap((item) => {
    const at = item.indexOf("=");
    const folder = namesOf(item.slice(0, at));
    const root = item.slice(at + 1);
    if (names.length <= folder.length) return isPrefix(names, folder) ? [root] : [];
    return isPrefix(folder, names) ? [below(root, names.slice(folder.length).join("/"))] : [];
  });
}

function localPlace(path: string): Place {
  return { store: localStore, names: namesOf(path), plain: true };
}

/** The names of a path, without empty ones and `.`, and with each `..` resolved. */
export function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names;
}

/** Options of S3 that tell one account's buckets from another's. */
const s3Account = ["access_key_id", "env_auth", "profile", "shared_credentials_file", "role_arn"];

/**
 * A text that is the same for all remotes of one store; undefined where that is not certain. Amazon's buckets are one space
 * of names for all accounts of a partition. Elsewhere each account may have its own.
 */
function storeOf({ type, options, certain }: ResolvedRemote): string | undefined {
  if (!certain) return undefined;
  if (type !== "s3")
    return JSON.stringify([type, [...options].filter(([name]) => name !== "description").sort()]);
  const endpoint = (options.get("endpoint") ?? "").toLowerCase();
  const host = endpoint
    .replace(/\/+$/, "")
    .replace(/^https:\/\/(.*?)(?::443)?$/, "$1")
    .replace(/^(http:\/\/.*):80$/, "$1");
  if (host === "" && options.get("provider")?.toUpperCase() !== "AWS") return undefined;
  if (host === "" || /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(host)) {
    const partition = /(?:^|\.)(cn|us-gov)-/.exec(`${options.get("region") ?? ""}.${host}`)?.[1] ?? "";
    return `s3 of Amazon ${partition}`;
  }
  return JSON.stringify(["s3", host, ...s3Account.map((name) => options.get(name) ?? "")]);
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((name, i) => name === long[i]);
}

/** How the places of a destination and a source that share data lie to each other. */
export type Overlap = "same" | "dest-inside" | "source-inside";

/**
 * How two roots overlap, from their places; undefined when no overlap is known.
 *
 * | source | destination | overlap |
 * |---|---|---|
 * | X | X | same |
 * | X | below X | dest-inside |
 * | below X | X | source-inside |
 * | somewhere below X, under other names | X or above | source-inside; with the sides exchanged dest-inside |
 * | somewhere below X | somewhere below X | not known, unless both are of one remote |
 */
export function overlapOf(source: readonly Place[], dest: readonly Place[]): Overlap | undefined {
  let found: Overlap | undefined;
  for (const one of source) {
    for (const other of dest) {
      if (one.store !== other.store) continue;
      const overlap = meet(one, other);
      if (overlap === "same") return overlap;
      found ??= overlap;
    }
  }
  return found;
}

function meet(source: Place, dest: Place): Overlap | undefined {
  const destInside = isPrefix(source.names, dest.names);
  const sourceInside = isPrefix(dest.names, source.names);
  if (source.plain && dest.plain) {
    if (destInside && sourceInside) return "same";
    return destInside ? "dest-inside" : sourceInside ? "source-inside" : undefined;
  }
  if (source.plain && destInside) return "dest-inside";
  return dest.plain && sourceInside ? "source-inside" : undefined;
}
