const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** Bytes in the binary unit that keeps the number below 1,024: "0 B", "1.5 MiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${binaryUnits[unit]}`;
}

/** A count with thousands separators: "1,234,567". */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** "1 object", "2,000 objects". */
export function formatObjects(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "object" : "objects"}`;
}

/** "1 record", "2,000 records". */
export function formatRecords(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "record" : "records"}`;
}

/** "1 shard", "512 shards". */
export function formatShards(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "shard" : "shards"}`;
}

/** Seconds as "42s", "3m07s", "5h02m" or "3d04h"; "-" when they are not known. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "-";
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86400)}d${two(Math.floor(whole / 3600) % 24)}h`;
}

const prefixes = ["", "K", "M", "G", "T", "P", "E"];

function factor(prefix: string, base: 1000 | 1024): number {
  return base ** prefixes.indexOf(prefix.toUpperCase());
}

/**
 * Bytes from a text such as "1048576", "1MiB", "1M" (as rclone reads it: binary) or "1MB" (decimal); undefined when it
 * is none or not a whole number of bytes.
 */
export function parseBytes(text: string): number | undefined {
  const [, digits, prefix = "", suffix = ""] = /^(\d*\.?\d+) ?([KMGTPE]?)(i?B?)$/i.exec(text) ?? [];
  if (digits === undefined || (prefix === "" && /i/i.test(suffix))) return undefined;
  const bytes = Number(digits) * factor(prefix, /^b$/i.test(suffix) ? 1000 : 1024);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes a second from a text such as "5Gbps", "200MB/s" or "1.5GiB/s" (b is bits, B is bytes); undefined for others. */
export function parseRate(text: string): number | undefined {
  const [, digits, prefix = "", binary = "", unit] =
    /^(\d*\.?\d+) ?([kKMGTP]?)(i?)(b|bit|B)(?:ps|\/s)$/.exec(text) ?? [];
  if (digits === undefined || (prefix === "" && binary !== "")) return undefined;
  const amount = Number(digits) * factor(prefix, binary === "" ? 1000 : 1024);
  return amount > 0 ? amount / (unit === "B" ? 1 : 8) : undefined;
}

/** Bytes a second as people who buy networks say it: "5.00 Gbps". */
export function formatBitRate(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  const [amount, unit] =
    bits >= 1e9 ? [bits / 1e9, "Gbps"] : bits >= 1e6 ? [bits / 1e6, "Mbps"] : [bits / 1e3, "kbps"];
  return `${amount.toFixed(2)} ${unit}`;
}

/** Units in which a rate can be told: as networks are sold, or as disks are. */
export const rateUnits = ["Gbps", "MBps"] as const;

export type RateUnit = (typeof rateUnits)[number];

/** Bytes a second in one unit: "5.00 Gbps", "625.00 MB/s"; without one in bits, in the unit that suits. */
export function formatNetworkRate(bytesPerSecond: number, unit?: RateUnit): string {
  if (unit === undefined) return formatBitRate(bytesPerSecond);
  return unit === "Gbps"
    ? `${((bytesPerSecond * 8) / 1e9).toFixed(2)} Gbps`
    : `${(bytesPerSecond / 1e6).toFixed(2)} MB/s`;
}
