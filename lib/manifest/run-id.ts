/** A run id such as 20261122T081500Z_a1b2c3: the UTC second and six random hexadecimal digits. */
export function makeRunId(now: Date, random: Uint8Array): string {
  const second = now
    .toISOString()
    .replace(/[-:]/g, "")
    .replace(/\.\d+Z$/, "Z");
  return `${second}_${Buffer.from(random).toString("hex").slice(0, 6)}`;
}
