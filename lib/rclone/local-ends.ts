import { splitRoot } from "./connection-string.ts";
import { isBackend } from "./flag-table.ts";
import { type RemoteContext, resolveRemote } from "./remote-options.ts";

/** Where the data of a root lies on this host. */
export interface LocalEnds {
  /** The paths behind it, through every remote that wraps another; empty for an object store. */
  paths: string[];
  /** Whether these are all. */
  certain: boolean;
}

/** Whether data of this root is, or may be, on this host. */
export function isLocal({ paths, certain }: LocalEnds): boolean {
  return paths.length > 0 || !certain;
}

/** Backends that keep their data in the remote of one option. */
export const wrappers: ReadonlySet<string> = new Set(["crypt", "chunker", "compress", "hasher", "archive"]);
/** Remotes that wrap one another are no deeper than this, unless they wrap themselves. */
const depthMax = 16;

/**
 * The paths of this host that a root ends at:
 *
 * | root | ends |
 * |---|---|
 * | a path, or one behind a remote of type local | the path |
 * | alias | those of its remote, with the path below it |
 * | crypt, chunker, compress, hasher, archive | those of its remote: names below it may be others |
 * | union, combine | those of all its upstreams |
 * | cache | those of its remote, and not certain: it may keep data for later |
 * | another backend | none |
 * | a backend that is not known | none, and not certain |
 */
export function localEnds(root: string, context: RemoteContext, depth = 0): LocalEnds {
  const unknown: LocalEnds = { paths: [], certain: false };
  const parsed = splitRoot(root);
  if (parsed.form === "posix") return { paths: [parsed.path], certain: true };
  if (parsed.form === "none" || depth > depthMax) return unknown;
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
 * The path of this host at which the keys below a root are files of their own names: a path, a remote of type local, or an
 * alias of one. Undefined for anything that keeps its data elsewhere or under other names, or that is not certain.
 */
export function plainPath(root: string, context: RemoteContext, depth = 0): string | undefined {
  const parsed = splitRoot(root);
  if (parsed.form === "posix") return parsed.path;
  if (parsed.form === "none" || depth > depthMax) return undefined;
  const { type, options, certain } = resolveRemote(parsed, context);
  if (!certain) return undefined;
  if (type === "local") return parsed.path;
  const remote = options.get("remote");
  if (type !== "alias" || remote === undefined) return undefined;
  return plainPath(below(remote, parsed.path), context, depth + 1);
}

/** The root that a path below another root is. */
export function below(base: string, path: string): string {
  if (path === "") return base;
  return /[:/]$/.test(base) ? base + path : `${base}/${path}`;
}

/** The items of a list between spaces, in which one with a space stands in quotes, as rclone's reader of CSV takes it. */
export function listItems(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"|[^ ]+/g)].map(
    ([item, quoted]) => quoted?.replaceAll('""', '"') ?? item,
  );
}
