import { formatBytes, formatCount } from "../../lib/system/units.ts";

/** A line of a table of objects: what they are, how many, and how many bytes where that is known. */
export function amountRow(name: string, { objects, bytes }: { objects: number; bytes?: number }): string {
  const size = bytes === undefined ? "" : formatBytes(bytes).padStart(13);
  return `${name.padEnd(14)}${formatCount(objects).padStart(12)} objects${size}`;
}
