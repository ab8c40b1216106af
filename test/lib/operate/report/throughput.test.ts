import { expect, test } from "bun:test";
import { type Standing, Throughput } from "../../../../lib/operate/report/throughput.ts";

const start = Date.parse("2026-01-01T00:00:00.000Z");

/** A standing by its second, attempt, objects and bytes, and perhaps errors and throttled requests. */
const at = ([second, attempt, objects, bytes, errors = 0, throttled = 0]: number[]): Standing => ({
  ...{ atMs: start + (second ?? 0) * 1_000, attempt: attempt ?? 1, objects: objects ?? 0 },
  ...{ bytes: bytes ?? 0, errors, throttled },
});

/** What moved in each point: objects, bytes, mean shards, errors, throttled. */
function pointsOf(shards: number[][][], most?: number) {
  const throughput = new Throughput();
  for (const shard of shards) throughput.addShard(shard.map(at));
  const { seconds, points } = throughput.points(most);
  const rows = points.map((point) => [
    ...[point.objects_per_second, point.bytes_per_second, point.shards, point.errors, point.throttled],
  ]);
  return { seconds, rows, first: points[0]?.at };
}

test.each<[string, number[][][], number[][]]>([
  ["nothing at all", [], []],
  ["one standing moves nothing", [[[0, 1, 5, 50]]], []],
  [
    "evenly between two",
    [
      [
        [0, 1, 0, 0],
        [2, 1, 4, 40],
      ],
    ],
    [
      [2, 20, 1, 0, 0],
      [2, 20, 1, 0, 0],
      [0, 0, 0, 0, 0],
    ],
  ],
  [
    "two shards side by side add up",
    [
      [
        [0, 1, 0, 0],
        [1, 1, 1, 10],
      ],
      [
        [0, 1, 0, 0],
        [1, 1, 2, 20],
      ],
    ],
    [
      [3, 30, 2, 0, 0],
      [0, 0, 0, 0, 0],
    ],
  ],
  [
    "what was in flight is lost with an attempt, and moves only once",
    [
      [
        [0, 1, 0, 0],
        [1, 1, 1, 30],
        [2, 2, 1, 10],
        [3, 2, 3, 30],
      ],
    ],
    [
      [1, 30, 1, 0, 0],
      [0, 0, 0, 0, 0],
      [2, 0, 1, 0, 0],
      [0, 0, 0, 0, 0],
    ],
  ],
  [
    "errors and refused requests are counted by attempt",
    [
      [
        [0, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 3, 7],
        [2, 1, 0, 0, 4, 7],
        [3, 2, 0, 0, 2, 1],
      ],
    ],
    [
      [0, 0, 1, 0, 0],
      [0, 0, 1, 3, 7],
      [0, 0, 0, 1, 0],
      [0, 0, 0, 2, 1],
    ],
  ],
  [
    "a clock that goes back moves nothing",
    [
      [
        [5, 1, 0, 0],
        [3, 1, 9, 90],
      ],
    ],
    [],
  ],
  [
    "all in one moment",
    [
      [
        [0, 1, 0, 0],
        [0, 1, 2, 20],
      ],
    ],
    [[2, 20, 0, 0, 0]],
  ],
])("%s", (_, shards, rows) => {
  expect(pointsOf(shards).rows).toEqual(rows);
});

test("a long run has few points, and they hold all that moved", () => {
  const days = 30;
  const shards = Array.from({ length: 50 }, (_, shard) =>
    Array.from({ length: 200 }, (_, i) => [shard * 997 + (i * days * 86_400) / 200, 1, i, i * 1_000]),
  );
  const { seconds, rows, first } = pointsOf(shards);
  expect(rows.length).toBeLessThanOrEqual(720);
  expect(rows.length).toBeGreaterThan(300);
  const sum = (column: number) => rows.reduce((all, row) => all + (row[column] ?? 0) * (seconds ?? 0), 0);
  expect(sum(0) / (50 * 199)).toBeCloseTo(1, 1);
  expect(sum(1) / (50 * 199_000)).toBeCloseTo(1, 4);
  expect(Date.parse(first ?? "")).toBeLessThanOrEqual(start);
  expect(Date.parse(first ?? "")).toBeGreaterThan(start - (seconds ?? 0) * 1_000);
  expect(pointsOf(shards, 24).rows.length).toBeLessThanOrEqual(24);
});
