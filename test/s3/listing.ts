interface ListQuery {
  prefix: string;
  delimiter: string;
  /** Only what sorts after this; a common prefix given here is skipped with all that it holds. */
  after: string;
  maxKeys: number;
}

interface ListPage {
  keys: string[];
  commonPrefixes: string[];
  /** Where the next page goes on, or null at the end. */
  next: string | null;
}

/** Orders strings as S3 does, by their UTF-8 bytes; JavaScript's own order differs beyond the basic plane. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above every other UTF-16 unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** One page over keys that are sorted by compareUtf8; the cost is that of the page, not of the bucket. */
export function listPage(sorted: readonly string[], query: ListQuery): ListPage {
  const { prefix, delimiter, after, maxKeys } = query;
  const page: ListPage = { keys: [], commonPrefixes: [], next: null };
  const isGroup = delimiter !== "" && groupOf(after, prefix, delimiter) === after;
  let at = firstIndex(sorted, 0, (key) => compareUtf8(key, prefix) >= 0 && compareUtf8(key, after) > 0);
  if (isGroup) at = afterGroup(sorted, at, after);
  let last = "";
  for (let count = 0; maxKeys > 0; count++) {
    const key = sorted[at];
    if (key === undefined || !key.startsWith(prefix)) break;
    if (count === maxKeys) {
      page.next = last;
      break;
    }
    const group = delimiter === "" ? null : groupOf(key, prefix, delimiter);
    if (group === null) {
      page.keys.push(key);
      at++;
    } else {
      page.commonPrefixes.push(group);
      at = afterGroup(sorted, at, group);
    }
    last = group ?? key;
  }
  return page;
}

/** The common prefix that a key is rolled up into, or null when it is listed itself. */
function groupOf(key: string, prefix: string, delimiter: string): string | null {
  if (!key.startsWith(prefix)) return null;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? null : key.slice(0, end + delimiter.length);
}

function afterGroup(sorted: readonly string[], from: number, group: string): number {
  return firstIndex(sorted, from, (key) => compareUtf8(key, group) > 0 && !key.startsWith(group));
}

/** Binary search for the first key that satisfies a condition which holds for all keys after it. */
function firstIndex(sorted: readonly string[], from: number, holds: (key: string) => boolean): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle] ?? "")) high = middle;
    else low = middle + 1;
  }
  return low;
}
