/** The most numbers that a list may hold: more are a mistake. */
const numbersMax = 1_000_000;

/**
 * Whole numbers from a list such as `3,17,40-44`, ascending, each once. Undefined for a text that is no such list, or one
 * of more than a million numbers.
 */
export function parseNumberList(text: string): number[] | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last] = /^ *(\d{1,9})(?:-(\d{1,9}))? *$/.exec(part) ?? [];
    if (first === undefined) return undefined;
    const [from, to] = [Number(first), Number(last ?? first)];
    if (to < from || to - from + numbers.size >= numbersMax) return undefined;
    for (let number = from; number <= to; number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Whole numbers as a list that parseNumberList reads: `3,17,40-44`. They have to be ascending; none gives an empty text. */
export function formatNumberList(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    const first = numbers[at] ?? 0;
    let end = at + 1;
    while (numbers[end] === first + (end - at)) end++;
    const last = first + (end - at) - 1;
    parts.push(last === first ? `${first}` : `${first}-${last}`);
    at = end;
  }
  return parts.join(",");
}
