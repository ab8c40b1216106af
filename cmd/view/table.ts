import { formatBytes, formatCount } from "../../lib/system/units.ts";

/** A line of a table of objects: what they are, how many, and how many bytes where that is known. */
export function amountRow(name: string, { objects, bytes }: { objects: number; bytes?: number }): string {
  const size = bytes === undefined ? "" : formatBytes(bytes).padStart(13);
  return `${name.padEnd(14)}${formatCount(objects).padStart(12)} objects${size}`;
}

/** Rows of words as columns that are as wide as their widest word, two spaces apart. */
export function columnsText(rows: readonly (readonly string[])[], indent = ""): string {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((word, i) => Math.max(known[i] ?? 0, word.length)),
    [],
  );
  const line = (row: readonly string[]) =>
    `${indent}${row.map((word, i) => word.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd();
  return rows.map((row) => `${line(row)}\n`).join("");
}
