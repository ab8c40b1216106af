import { errnoOf, messageOf, operationFailed } from "../system/errors.ts";
import { log } from "../system/log.ts";
import { expositionType } from "./exposition.ts";
import { type ListenAddress, urlHost } from "./listen-address.ts";

/** A server that listens. */
export interface MetricsServer {
  /** Where the metrics are. */
  url: string;
  /** Ends it, with the answers that are under way. */
  stop(): Promise<void>;
}

/**
 * Answers GET /metrics with what `read` says, asked at most once in `keepMs`, however many ask. Throws operation failed when
 * the address is not to be had.
 */
export function serveMetrics(
  { host, port }: ListenAddress,
  read: () => Promise<string>,
  keepMs: number,
): MetricsServer {
  const cached = keep(read, keepMs);
  const answer = async (request: Request): Promise<Response> => {
    if (new URL(request.url).pathname !== "/metrics") return said(404, "the metrics are at /metrics");
    if (request.method !== "GET" && request.method !== "HEAD") return said(405, "GET /metrics");
    try {
      return new Response(await cached(), { headers: { "content-type": expositionType } });
    } catch (error) {
      log.warn(messageOf(error));
      return said(500, messageOf(error));
    }
  };
  try {
    const server = Bun.serve({ hostname: host, port, development: false, fetch: answer });
    return { url: `http://${urlHost(host)}:${server.port}/metrics`, stop: () => server.stop(true) };
  } catch (error) {
    const why =
      errnoOf(error) === "EADDRINUSE" ? "the port is in use: choose another, or 0" : messageOf(error);
    throw operationFailed(`--listen ${urlHost(host)}:${port}: ${why}`, { cause: error });
  }
}

const said = (status: number, text: string): Response => new Response(`${text}\n`, { status });

/** The value of `read`, for so long; those who ask meanwhile share it. A failure is not kept. */
function keep<T>(read: () => Promise<T>, keepMs: number): () => Promise<T> {
  let kept: { until: number; value: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (kept && now < kept.until) return kept.value;
    const value = read();
    const mine = { until: now + keepMs, value };
    kept = mine;
    value.catch(() => {
      if (kept === mine) kept = undefined;
    });
    return value;
  };
}
