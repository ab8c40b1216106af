import { expect, test } from "bun:test";
import { toldSince } from "../../../lib/operate/auto-throttle.ts";

const seen = (attempt: number, throttled: number, objects_done: number, objects_unchanged = 0) => ({
  ...{ attempt, throttled, objects_done, objects_unchanged },
});

/** [what was seen before, what is there now, what came since] */
test.each<[ReturnType<typeof seen> | undefined, ReturnType<typeof seen>, object]>([
  [seen(1, 10, 100), seen(1, 25, 180), { refused: 15, taken: 80 }],
  [seen(1, 10, 100), seen(1, 10, 100), { refused: 0, taken: 0 }],
  [seen(1, 90, 100), seen(2, 5, 130), { refused: 5, taken: 30 }],
  [undefined, seen(1, 5, 130, 30), { refused: 5, taken: 100 }],
  [undefined, seen(3, 5, 50_000), { refused: 5, taken: 0 }],
  // Proofs of a node that was lost are taken back.
  [seen(1, 0, 100), seen(2, 0, 60), { refused: 0, taken: 0 }],
])("after %p, %p tells of %p", (before, now, since) => {
  expect(toldSince(before, now)).toEqual(since as ReturnType<typeof toldSince>);
});
