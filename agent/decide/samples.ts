import { parseSamples } from "../../lib/run/state/samples.ts";

/** Every second line, and the last one. */
export function thinned(lines: readonly string[]): string[] {
  return lines.filter((_, i) => i % 2 === 0 || i === lines.length - 1);
}

/**
 * How far apart the next lines of a .samples are, in milliseconds: as far as its lines are, since a thinned file goes on as
 * it is.
 *
 * | the gaps between lines of one attempt | spacing |
 * |---|---|
 * | fewer than three | `shortest` |
 * | about 1, 2, 4, ... times `shortest`, by their median | that |
 *
 * A gap that an attempt's last line cut short, and one in which the agent was suspended, change a median little.
 */
export function spacingOf(lines: readonly string[], shortest: number): number {
  const samples = parseSamples(lines.join("\n"));
  const gaps = samples.flatMap(({ at, attempt }, i) => {
    const before = samples[i - 1];
    const gap = before?.attempt === attempt ? Date.parse(at) - Date.parse(before.at) : Number.NaN;
    return gap > 0 ? [gap] : [];
  });
  if (gaps.length < 3) return shortest;
  const median = gaps.sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? shortest;
  return shortest * 2 ** Math.max(0, Math.round(Math.log2(median / shortest)));
}
