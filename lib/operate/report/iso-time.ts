/** A time of a file as RFC 3339 in UTC; null for a text that is no time. */
export function isoTime(text: string): string | null {
  const ms = Date.parse(text);
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}
