import { splitRoot } from "./connection-string.ts";
import { classifyMessage, type FailureClass } from "./failure-class.ts";
import { parseRoot, type RemoteContext, resolveRemote } from "./remote-options.ts";

/** Why rclone repeats a request. `what` follows the name of the store: "refuses connections". */
export interface Hindrance {
  class: FailureClass;
  what: string;
}

/** One of the two places of a copy. */
export type Side = "source" | "destination";

/** Messages of rclone and of Go's network library, and what the store does; the first match counts. */
const table: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, "refuses connections"],
  [
    /no such host|server misbehaving|name resolution/i,
    "has a host name that is not found: look at its endpoint",
  ],
  [
    /network is unreachable|no route to host|host is unreachable/i,
    "cannot be reached: there is no route to it",
  ],
  [/x509: |certificate (?:is|has|signed)/i, "shows a certificate that is not trusted"],
  [/handshake timeout|i\/o timeout|deadline exceeded|timeout (?:exceeded|awaiting)/i, "does not answer"],
  [
    /SlowDown|TooManyRequests|RequestLimitExceeded|Throttl|ServiceUnavailable|status ?code: (?:429|503)\b/i,
    "refuses requests and asks to slow down",
  ],
  [/connection reset|broken pipe|\bEOF\b|use of closed network connection/i, "breaks connections off"],
  [/status ?code: 5\d\d|InternalError/i, "answers with errors of its own (status 5xx)"],
];

/** The hindrance that a message tells; undefined when no repetition of the request could cure it. */
export function hindranceOf(message: string): Hindrance | undefined {
  const what = table.find(([pattern]) => pattern.test(message))?.[1];
  return what === undefined ? undefined : { class: classifyMessage(message), what };
}

/** A place by its marks in the addresses of requests. */
export interface StorePlace {
  /** HOST or HOST:PORT of the remote's endpoint; undefined when the remote names none. */
  host: string | undefined;
  bucket: string;
}

/** The marks of a root in the addresses of requests; undefined for a path. */
export function storePlace(root: string, context: RemoteContext): StorePlace | undefined {
  const parsed = parseRoot(root);
  if (parsed.form !== "remote" || splitRoot(root).form === "none") return undefined;
  const endpoint = resolveRemote(parsed, context).options.get("endpoint");
  const host = endpoint?.replace(/^\w+:\/\//, "").replace(/\/.*$/s, "");
  return {
    host: host?.toLowerCase() || undefined,
    bucket: parsed.path.replace(/^\/*/, "").split("/")[0] ?? "",
  };
}

/**
 * The side that a failed request went to, by the URL or address in its message; undefined when that does not tell:
 *
 * | the message names | side |
 * |---|---|
 * | the endpoint of one side only | that side |
 * | the bucket of one side only | that side |
 * | a request that writes (Put, Post, Delete) | the destination |
 */
export function sideOf(
  message: string,
  places: Readonly<Record<Side, StorePlace | undefined>>,
): Side | undefined {
  const { source, destination } = places;
  const [, method = "", host = "", path = ""] =
    /\b(\w+) \\?"?https?:\/\/([^/\s"\\]*)([^?\s"\\]*)/.exec(message) ?? [];
  const address = (host || (/(?:dial \w+|lookup) ([^\s,]+?):? /.exec(message)?.[1] ?? "")).toLowerCase();
  const isAt = (place: StorePlace | undefined) =>
    place?.host !== undefined &&
    address !== "" &&
    (address === place.host || address.endsWith(`.${place.host}`));
  const names = (place: StorePlace | undefined) =>
    place !== undefined &&
    place.bucket !== "" &&
    (path === `/${place.bucket}` ||
      path.startsWith(`/${place.bucket}/`) ||
      address.startsWith(`${place.bucket}.`));
  for (const test of [isAt, names]) {
    if (test(source) !== test(destination)) return test(source) ? "source" : "destination";
  }
  return /^(?:put|post|delete)$/i.test(method) ? "destination" : undefined;
}

/** A hindrance in words for people. */
export function hindranceText(side: Side | undefined, { what }: Pick<Hindrance, "what">): string {
  return `${side === undefined ? "a store" : `the ${side}`} ${what}`;
}
