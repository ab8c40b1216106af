import type { LogCursor, PlacedEntry } from "./log-cursor.ts";
import { couldBeShown, isShown } from "./log-entry.ts";
import type { LogFilter } from "./log-files.ts";

/** A file whose next entry is known. */
interface Head {
  entry: PlacedEntry;
  cursor: LogCursor;
}

/**
 * The wanted entries of all files by their time, and those of one file in its order. A file is read from when the time comes
 * to its first line: only files that are written at the same time take memory. Gives undefined now and then where many lines
 * in a row are not wanted.
 */
export function* mergeLogs(
  cursors: readonly LogCursor[],
  filter: LogFilter,
  takesTorn: boolean,
): Generator<PlacedEntry | undefined> {
  const waiting = [...cursors].sort(
    (one, other) => other.firstMs - one.firstMs || (other.file.name < one.file.name ? -1 : 1),
  );
  const heap: Head[] = [];
  function* advance(cursor: LogCursor): Generator<undefined> {
    for (;;) {
      const entry = cursor.next(
        (read) => isShown(read, filter),
        takesTorn,
        (line) => couldBeShown(line, filter),
      );
      if (entry === "later") yield undefined;
      else if (entry) return push(heap, { entry, cursor });
      else return cursor.rest();
    }
  }
  for (;;) {
    const next = waiting.at(-1);
    if (next && (heap[0] === undefined || next.firstMs <= heap[0].entry.atMs)) {
      waiting.pop();
      yield* advance(next);
      continue;
    }
    const first = pop(heap);
    if (!first) return;
    yield first.entry;
    yield* advance(first.cursor);
  }
}

const isBefore = (one: Head, other: Head): boolean =>
  one.entry.atMs < other.entry.atMs ||
  (one.entry.atMs === other.entry.atMs && one.cursor.file.name < other.cursor.file.name);

function push(heap: Head[], head: Head): void {
  let at = heap.length;
  heap.push(head);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Head;
    if (!isBefore(head, parent)) break;
    heap[at] = parent;
    heap[above] = head;
    at = above;
  }
}

function pop(heap: Head[]): Head | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  heap[0] = last;
  for (;;) {
    let least = at;
    for (const below of [2 * at + 1, 2 * at + 2]) {
      const child = heap[below];
      if (child && isBefore(child, heap[least] as Head)) least = below;
    }
    if (least === at) return first;
    heap[at] = heap[least] as Head;
    heap[least] = last;
    at = least;
  }
}
