import { expect, test } from "bun:test";
import { chartOf } from "../../../../cmd/view/report/lanes.ts";
import type { ReportShard } from "../../../../lib/operate/report/schema.ts";
import { minuteAt } from "../../../lib/operate/report/made-run.ts";

type Start = [node: string | null, from: number, to: number];

/** Shards with these starts each. */
const shardsOf = (starts: Start[][]): ReportShard[] =>
  starts.map((spans, shard) => ({
    ...{ shard, state: "done", records: 1, bytes: 1, proven: 1, proven_bytes: 1, sha256: "", starts: 1 },
    ...{ node: null, started_at: null, ended_at: null, class: null, message: null },
    spans: spans.map(([node, from, to], i) => ({
      ...{ attempt: i + 1, node, from: minuteAt(from), to: minuteAt(to), outcome: null },
    })),
  }));

/** Each row: its node, its lanes, and shard and lane of its bars. */
const shown = (starts: Start[][]) =>
  chartOf(shardsOf(starts)).nodes.map(({ node, lanes, bars }) => [
    ...[node, lanes, bars.map(({ shard, lane }) => [shard, lane])],
  ]);

test.each<[string, Start[][], unknown[]]>([
  ["nothing", [], []],
  [
    "one after the other",
    [[["n", 0, 1]], [["n", 1, 2]]],
    [
      [
        "n",
        1,
        [
          [0, 0],
          [1, 0],
        ],
      ],
    ],
  ],
  [
    "side by side, and the first free lane again",
    [[["n", 0, 5]], [["n", 1, 2]], [["n", 3, 6]]],
    [
      [
        "n",
        2,
        [
          [0, 0],
          [1, 1],
          [2, 1],
        ],
      ],
    ],
  ],
  [
    "nodes in the order of their numbers, those that are not known last",
    [
      [
        [null, 0, 1],
        ["n10", 1, 2],
      ],
      [["n2", 0, 1]],
    ],
    [
      ["n2", 1, [[1, 0]]],
      ["n10", 1, [[0, 0]]],
      [null, 1, [[0, 0]]],
    ],
  ],
])("%s", (_, starts, rows) => {
  expect(shown(starts)).toEqual(rows as ReturnType<typeof shown>);
});

test("of too many starts the shortest are left out", () => {
  const chart = chartOf(shardsOf([[["n", 0, 1]], [["n", 0, 9]], [["n", 2, 6]]]), 2);
  expect([chart.left, chart.nodes[0]?.bars.map(({ shard }) => shard)]).toEqual([1, [1, 2]]);
  expect([chart.fromMs, chart.toMs]).toEqual([Date.parse(minuteAt(0)), Date.parse(minuteAt(9))]);
});
