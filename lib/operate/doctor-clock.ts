import { type Finding, failure, ok, skipped, warning } from "../launch/finding.ts";
import { parseRoot, type RemoteContext, resolveRemote } from "../rclone/remote-options.ts";
import { formatDuration } from "../system/units.ts";

/** A server that signs nothing but tells its time: the S3 endpoint of a remote. */
export interface Endpoint {
  /** The name of the remote. */
  remote: string;
  /** Scheme, host and port. */
  url: string;
}

/** What an endpoint said of the time: seconds by which this host is ahead, or why it said nothing. */
export type ClockLook = { ahead: number } | { problem: string } | { noDate: true };

/**
 * The S3 endpoints of these roots, each once. Of rclone.conf only the endpoint and the region are taken; a user or a password
 * in a URL is left out. A remote that names none is Amazon's, where its provider says that.
 */
export function endpointsOf(roots: readonly string[], context: RemoteContext): Endpoint[] {
  const found = new Map<string, Endpoint>();
  for (const root of roots) {
    const parsed = parseRoot(root);
    if (parsed.form !== "remote") continue;
    const { type, options } = resolveRemote(parsed, context);
    if (type !== "s3") continue;
    const named = options.get("endpoint") || amazon(options);
    const url = named === undefined ? undefined : originOf(named);
    if (url !== undefined && !found.has(url)) found.set(url, { remote: parsed.name, url });
  }
  return [...found.values()];
}

function amazon(options: ReadonlyMap<string, string>): string | undefined {
  if (options.get("provider")?.toUpperCase() !== "AWS") return undefined;
  const region = options.get("region") || "us-east-1";
  return `s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

function originOf(endpoint: string): string | undefined {
  try {
    const { protocol, host } = new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`);
    return host === "" ? undefined : `${protocol}//${host}`;
  } catch {
    return undefined;
  }
}

/** Asks an endpoint for its time with a request that is not signed; it may well be refused. Waits 10 s at most. */
export async function lookAtClock({ url }: Endpoint, timeoutMs = 10_000): Promise<ClockLook> {
  const before = Date.now();
  try {
    const answer = await fetch(url, {
      ...{ method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(timeoutMs) },
      // Nothing is sent but the request itself, and a site's own certificate is known to rclone alone.
      tls: { rejectUnauthorized: false },
    });
    const date = Date.parse(answer.headers.get("date") ?? "");
    if (Number.isNaN(date)) return { noDate: true };
    // The header has whole seconds; the answer was made between the two looks at this clock.
    const [least, most] = [(before - date) / 1000 - 1, (Date.now() - date) / 1000];
    return { ahead: least > 0 ? least : Math.min(most, 0) };
  } catch (error) {
    const isLate = error instanceof Error && error.name === "TimeoutError";
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return { problem: isLate ? `no answer within ${timeoutMs / 1000} s` : code || "it cannot be reached" };
  }
}

/** S3 refuses signatures that are older, or newer, than 15 minutes. */
const [warnSeconds, failSeconds] = [5 * 60, 15 * 60];

/**
 * What a clock means for signatures:
 *
 * | off by | |
 * |---|---|
 * | 15 minutes or more | failure |
 * | over 5 minutes | warning |
 * | less | ok |
 * | no Date header | skipped |
 * | no answer | failure; skipped where a compute node has reached the place |
 */
export function clockFinding({ remote, url }: Endpoint, look: ClockLook, isReached: boolean): Finding {
  const at = `${url} (${remote})`;
  if ("noDate" in look) return skipped("clock", `${at} does not tell its time`);
  if ("problem" in look) {
    const text = `${at}: ${look.problem}`;
    if (isReached) return skipped("clock", `${text} from here; a compute node reaches it`);
    return failure("clock", text, "look at the endpoint in rclone.conf, at the network and proxies");
  }
  return skewFinding("clock", look.ahead, `this host and ${at}`);
}

/** The same for two clocks, of which the first is `ahead` seconds ahead. */
export function skewFinding(check: string, ahead: number, clocks: string): Finding {
  const off = Math.abs(ahead);
  const text = `${clocks} differ by ${formatDuration(off)}`;
  if (off <= warnSeconds) return ok(check, off < 2 ? `${clocks} agree` : text);
  const mend = "set the clock (chronyd, ntpd): S3 refuses signatures that are 15 minutes off";
  return off < failSeconds ? warning(check, text, mend) : failure(check, text, mend);
}
