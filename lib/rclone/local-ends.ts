import { splitRoot } from "./connection-string.ts";
import { isBackend } from "./flag-table.ts";
import { type RemoteContext, resolveRemote, wrapDepthMax } from "./remote-options.ts";

/** The paths of this host at which the data of a root lies. */
export interface LocalEnds {
  /** The paths behind the root, through every remote that wraps another; empty for an object store. */
  paths: string[];
  /** Whether there are no other paths. */
  certain: boolean;
}

/** Whether data of a root is, or may be, on this host. */
export function isLocal({ paths, certain }: LocalEnds): boolean {
  return paths.length > 0 || !certain;
}

/** Backends that keep their data in the remote of one option. */
export const wrappers: ReadonlySet<string> = new Set(["crypt", "chunker", "compress", "hasher", "archive"]);

/**
 * The paths of this host at which a root ends:
 *
 * | root | ends |
 * |---|---|
 * | a path, or one behind a remote of type local | the path |
 * | alias | the ends of its remote, with the path below them |
 * | crypt, chunker, compress, hasher, archive | the ends of its remote, below which names may differ |
 * | union, combine | the ends of all its upstreams |
 * | cache | the ends of its remote, and not certain, since data may be kept for later |
 * | another backend | none |
 * | an unknown backend | none, and not certain |
 */
export function localEnds(root: string, context: RemoteContext, depth = 0): LocalEnds {
  const unknown: LocalEnds = { paths: [], certain: false };
  const parsed = splitRoot(root);
  if (parsed.form === "posix") return { paths: [parsed.path], certain: true };
  if (parsed.form === "none" || depth > wrapDepthMax) return unknown;
  const { type, options, typeCertain, certain } = resolveRemote(parsed, context);
  if (type === "local") return { paths: [parsed.path], certain: typeCertain };
  if (type === undefined || !isBackend(type)) return unknown;
  const inner = (roots: readonly string[], whole = certain): LocalEnds => {
    const ends = roots.map((one) => localEnds(one, context, depth + 1));
    return {
      paths: [...new Set(ends.flatMap(({ paths }) => paths))],
      certain: whole && roots.length > 0 && ends.every((end) => end.certain),
    };
  };
  const remote = options.get("remote");
  const wrapped = remote === undefined ? [] : [remote];
  if (type === "alias") return inner(wrapped.map((base) => below(base, parsed.path)));
  if (wrappers.has(type)) return inner(wrapped);
  if (type === "cache") return inner(wrapped, false);
  const upstreams = listItems(options.get("upstreams") ?? options.get("remotes") ?? "");
  if (type === "union") return inner(upstreams.map((one) => one.replace(/:(?:ro|nc|writeback)$/, "")));
  if (type === "combine") return inner(upstreams.map((one) => one.slice(one.indexOf("=") + 1)));
  return { paths: [], certain: typeCertain };
}

/**
 * The path of this host at which each object of a root is a file whose name is its key: for a path, a remote of type local,
 * or an alias of one. Undefined for a root that keeps its data elsewhere or under other names, or that is not certain.
 */
export function plainPath(root: string, context: RemoteContext, depth = 0): string | undefined {
  const parsed = splitRoot(root);
  if (parsed.form === "posix") return parsed.path;
  if (parsed.form === "none" || depth > wrapDepthMax) return undefined;
  const { type, options, certain } = resolveRemote(parsed, context);
  if (!certain) return undefined;
  if (type === "local") return parsed.path;
  const remote = options.get("remote");
  if (type !== "alias" || remote === undefined) return undefined;
  return plainPath(below(remote, parsed.path), context, depth + 1);
}

/** The root of a path below another root. */
export function below(base: string, path: string): string {
  if (path === "") return base;
  return /[:/]$/.test(base) ? base + path : `${base}/${path}`;
}

/** The items of a list with spaces between them. An item with a space is quoted, as rclone's CSV reader has it. */
export function listItems(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"|[^ ]+/g)].map(
    ([item, quoted]) => quoted?.replaceAll('""', '"') ?? item,
  );
}
