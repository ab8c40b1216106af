/** Where a server listens. */
export interface ListenAddress {
  host: string;
  /** 0 for any port that is free. */
  port: number;
}

/**
 * The address in a text; undefined for one that is none:
 *
 * | text | address |
 * |---|---|
 * | `9100`, `:9100` | that port of 127.0.0.1 |
 * | `10.0.0.5:9100`, `login:9100` | that port of that address |
 * | `[::1]:9100` | the same, of IPv6 |
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, six, host = "", digits] = /^(?:\[([0-9a-fA-F:.]+)\]:|([\w.-]*):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  return { host: six ?? (host || "127.0.0.1"), port };
}

/** Whether an address is reached from its own host alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** An address as it stands in a URL. */
export const urlHost = (host: string): string => (host.includes(":") ? `[${host}]` : host);
