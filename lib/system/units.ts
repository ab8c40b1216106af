const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** Printed in place of a number that is not known. */
const unknown = "-";

/** Bytes in the binary unit that keeps the number below 1,024: "0 B", "1.5 MiB"; "-" for NaN and infinity. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return unknown;
  if (bytes < 0) return Math.round(-bytes) === 0 ? "0 B" : `-${formatBytes(-bytes)}`;
  let value = Math.round(bytes);
  let unit = 0;
  // 1,023.95 KiB would be shown as 1024.0.
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${binaryUnits[unit]}`;
}

/** A rate as formatBytes shows it: "1.5 MiB/s". A rate below zero counts as zero. */
export function formatRate(bytesPerSecond: number): string {
  return Number.isFinite(bytesPerSecond) ? `${formatBytes(Math.max(0, bytesPerSecond))}/s` : unknown;
}

/** A count with thousands separators: "1,234,567"; "-" for NaN and infinity. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return unknown;
  // Not -0, which would keep its sign.
  return (Math.round(count) || 0).toLocaleString("en-US");
}

/** A part of a whole in percent, rounded down, from 0% to 100%. The part of an empty whole is 100%. */
export function formatPercent(part: number, whole: number): string {
  if (!(whole > 0)) return "100%";
  const percent = Math.floor((100 * part) / whole);
  return Number.isNaN(percent) ? unknown : `${Math.min(100, Math.max(0, percent))}%`;
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

const daySeconds = 86_400;
const yearSeconds = 365 * daySeconds;

/** Seconds as "42s", "3m07s", "5h02m", "3d04h" or "6.9 years"; "-" when they are not known. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return unknown;
  if (seconds >= 2 * yearSeconds) {
    const years = seconds / yearSeconds;
    return `${years < 10 ? years.toFixed(1) : formatCount(years)} years`;
  }
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86400)}d${two(Math.floor(whole / 3600) % 24)}h`;
}

/** The time that a transfer still takes; ">99d" beyond that, where the number would mean nothing. */
export function formatEta(seconds: number | null): string {
  return seconds !== null && seconds > 99 * daySeconds ? ">99d" : formatDuration(seconds);
}

const prefixes = ["", "K", "M", "G", "T", "P", "E"];

function factor(prefix: string, base: 1000 | 1024): number {
  return base ** prefixes.indexOf(prefix.toUpperCase());
}

/**
 * Bytes from a text: "1048576", "1MiB", "1M" (binary, as rclone reads it) or "1MB" (decimal). Undefined for a text that is
 * no amount, or not a whole number of bytes.
 */
export function parseBytes(text: string): number | undefined {
  const [, digits, prefix = "", suffix = ""] = /^(\d*\.?\d+) ?([KMGTPE]?)(i?B?)$/i.exec(text) ?? [];
  if (digits === undefined || (prefix === "" && /i/i.test(suffix))) return undefined;
  const bytes = Number(digits) * factor(prefix, /^b$/i.test(suffix) ? 1000 : 1024);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes a second from a text: "5Gbps", "200MB/s" or "1.5GiB/s" (b is bits, B is bytes). Undefined for other texts. */
export function parseRate(text: string): number | undefined {
  const [, digits, prefix = "", binary = "", unit] =
    /^(\d*\.?\d+) ?([kKMGTP]?)(i?)(b|bit|B)(?:ps|\/s)$/.exec(text) ?? [];
  if (digits === undefined || (prefix === "" && binary !== "")) return undefined;
  const amount = Number(digits) * factor(prefix, binary === "" ? 1000 : 1024);
  return amount > 0 ? amount / (unit === "B" ? 1 : 8) : undefined;
}

const bitUnits = ["bps", "kbps", "Mbps", "Gbps", "Tbps"] as const;

/** Bytes a second in bits, as networks are sold: "5.00 Gbps"; "-" for NaN and infinity. */
export function formatBitRate(bytesPerSecond: number): string {
  if (!Number.isFinite(bytesPerSecond)) return unknown;
  let amount = Math.max(0, bytesPerSecond) * 8;
  let unit = 0;
  while (amount >= 999.995 && unit < bitUnits.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(amount) : amount.toFixed(2)} ${bitUnits[unit]}`;
}

/** Units in which a rate can be told: as networks are sold, or as disks are. */
export const rateUnits = ["Gbps", "MBps"] as const;

export type RateUnit = (typeof rateUnits)[number];

/** Bytes a second in this unit: "5.00 Gbps", "625.00 MB/s". Without a unit, in bits and the unit that suits the number. */
export function formatNetworkRate(bytesPerSecond: number, unit?: RateUnit): string {
  if (unit === undefined) return formatBitRate(bytesPerSecond);
  return unit === "Gbps"
    ? `${((bytesPerSecond * 8) / 1e9).toFixed(2)} Gbps`
    : `${(bytesPerSecond / 1e6).toFixed(2)} MB/s`;
}
