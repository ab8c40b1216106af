import { expect, test } from "bun:test";
import { expositionText, type MetricFamily, valueText } from "../../../lib/operate/exposition.ts";

const gauge = (samples: MetricFamily["samples"], help = "h"): MetricFamily => ({
  ...{ name: "m", help, type: "gauge" },
  samples,
});

test.each<[string, MetricFamily[], Record<string, string>, string]>([
  ["a gauge without labels", [gauge([{ value: 1 }])], {}, "# HELP m h\n# TYPE m gauge\nm 1\n"],
  [
    "a counter of several values, with the label that all have first",
    [
      {
        ...{ name: "m_total", help: "h", type: "counter" },
        samples: [
          { labels: { state: "done" }, value: 3 },
          { labels: { state: "waiting" }, value: 0 },
        ],
      },
    ],
    { run_id: "r" },
    '# HELP m_total h\n# TYPE m_total counter\nm_total{run_id="r",state="done"} 3\nm_total{run_id="r",state="waiting"} 0\n',
  ],
  [
    "a label with a quote, a backslash, a line break and other signs",
    [gauge([{ labels: { root: 'a"b\\c\nd\te{}=,ü' }, value: 0.5 }])],
    {},
    '# HELP m h\n# TYPE m gauge\nm{root="a\\"b\\\\c\\nd\te{}=,ü"} 0.5\n',
  ],
  [
    "a help text, whose quotes stay",
    [gauge([{ value: 1 }], 'a "b"\\\nc')],
    {},
    '# HELP m a "b"\\\\\\nc\n# TYPE m gauge\nm 1\n',
  ],
  ["a metric without values", [gauge([])], {}, ""],
])("%s", (_, families, labels, text) => {
  expect(expositionText(families, labels)).toBe(text);
});

test.each([
  [0, "0"],
  [-1.5, "-1.5"],
  [Number.MAX_SAFE_INTEGER, "9007199254740991"],
  [1e21, "1e+21"],
  [1e-7, "1e-7"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("%p is written %s", (value, text) => expect(valueText(value)).toBe(text));
