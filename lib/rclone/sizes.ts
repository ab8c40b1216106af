/**
 * Reads a size as rclone does, in KiB or with a binary suffix (https://rclone.org/docs/#size-options). "off" is 0.
 * Undefined for a text that is no size.
 */
export function parseSize(value: string): number | undefined {
  if (value === "off") return 0;
  const match = /^(\d+(?:\.\d+)?)([bkmgtp]?)(?:i?b?)$/i.exec(value);
  if (!match?.[1]) return undefined;
  const power = "bkmgtp".indexOf((match[2] || "k").toLowerCase());
  return Number(match[1]) * 1024 ** power;
}
