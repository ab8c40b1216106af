import { expect, test } from "bun:test";
import { Hindrances, isToAsk } from "../../agent/hindrance.ts";

const t0 = Date.parse("2026-11-25T08:00:00Z");
const s = 1_000;
const places = {
  source: { host: "127.0.0.1:1", bucket: "src" },
  destination: { host: "127.0.0.1:2", bucket: "dst" },
};
const refused = 'Put "http://127.0.0.1:2/dst/k": dial tcp 127.0.0.1:2: connect: connection refused';
const destinationDown = "the destination refuses connections";

type Step = (hindrances: Hindrances) => void;
const retry =
  (at: number, message = refused): Step =>
  (h) =>
    h.retry(message, t0 + at * s);
const proven =
  (at: number): Step =>
  (h) =>
    h.proven(t0 + at * s);
const bytes =
  (at: number, done: number): Step =>
  (h) =>
    h.stats({ done }, t0 + at * s);
const asked =
  (at: number, side: "source" | "destination", message: string | undefined): Step =>
  (h) =>
    h.asked(side, message, t0 + at * s);

/** [what happens, seconds after the start, what .progress says then: the message and since which second] */
const rows: [string, Step[], number, [string, number] | null][] = [
  ["nothing", [], 60, null],
  ["a request was just repeated", [retry(10)], 11, null],
  ["a request is repeated for a while", [retry(10), retry(14)], 50, [destinationDown, 10]],
  ["an object came through since", [retry(10), retry(14), proven(15)], 50, null],
  ["it goes on after an object", [proven(5), retry(10), proven(11), retry(12)], 15, [destinationDown, 12]],
  ["bytes move, but requests are repeated still", [retry(10), bytes(12, 5)], 15, [destinationDown, 10]],
  ["bytes move, and nothing was repeated for long", [retry(10), bytes(30, 5)], 31, null],
  ["the statistics say the same again", [bytes(5, 5), retry(10), bytes(30, 5)], 31, [destinationDown, 10]],
  ["a place that is asked answers", [asked(20, "source", undefined)], 30, null],
  [
    "a place that is asked refuses",
    [asked(20, "source", "x: connection refused")],
    30,
    ["the source refuses connections", 0],
  ],
  [
    "a place that is asked may not be listed",
    [asked(20, "source", "AccessDenied: status code: 403")],
    30,
    null,
  ],
  ["both answer since", [asked(20, "source", "x: connection refused"), (h) => h.bothAnswer()], 30, null],
  ["a message of an unknown kind", [retry(1, "odd\nwords")], 9, ["a store fails requests: odd words", 1]],
  [
    "the look at the destination waits",
    [
      (h) =>
        h.look(
          {
            side: "destination",
            class: "network",
            what: "does not answer",
            since: new Date(t0 + 4 * s),
          },
          t0 + 8 * s,
        ),
    ],
    9,
    ["the destination does not answer", 4],
  ],
];

test.each(rows)("%s", (_what, steps, at, expected) => {
  const hindrances = new Hindrances(places, t0);
  hindrances.start(t0);
  for (const step of steps) step(hindrances);
  const state = hindrances.state(t0 + at * s);
  expect(state && [state.message, (Date.parse(state.since) - t0) / s]).toEqual(expected);
  expect(state?.next_pass_at ?? null).toBeNull();
});

test("a pass that waits says why at once, and when the next begins; the next one forgets only that", () => {
  const hindrances = new Hindrances(places, t0);
  hindrances.start(t0);
  hindrances.wait({ class: "network", message: refused }, t0 + 10 * s, t0 + 40 * s);
  expect(hindrances.state(t0 + 10 * s)).toEqual({
    class: "network",
    message: destinationDown,
    since: "2026-11-25T08:00:10.000Z",
    next_pass_at: "2026-11-25T08:00:40.000Z",
  });
  hindrances.start(t0 + 40 * s);
  expect(hindrances.state(t0 + 41 * s)).toMatchObject({
    since: "2026-11-25T08:00:10.000Z",
    next_pass_at: null,
  });
  hindrances.proven(t0 + 42 * s);
  expect(hindrances.state(t0 + 50 * s)).toBeNull();
  retry(55)(hindrances);
  hindrances.wait({ class: "unknown", message: "it failed" }, t0 + 56 * s, t0 + 57 * s);
  expect(hindrances.state(t0 + 56 * s)).toMatchObject({ message: destinationDown });
  hindrances.proven(t0 + 58 * s);
  hindrances.wait({ class: "unknown", message: "odd words" }, t0 + 60 * s, t0 + 61 * s);
  expect(hindrances.state(t0 + 60 * s)).toMatchObject({ message: "odd words" });
});

test.each([
  [0, Number.POSITIVE_INFINITY, false],
  [7_999, Number.POSITIVE_INFINITY, false],
  [8_000, Number.POSITIVE_INFINITY, true],
  [30_000, 19_999, false],
  [30_000, 20_000, true],
])("silent for %p ms, asked %p ms ago", (silent, sinceAsk, asks) =>
  expect(isToAsk(silent, sinceAsk)).toBe(asks),
);

test("silence is asked about once in a while, and not while something is heard", () => {
  const hindrances = new Hindrances(places, t0);
  hindrances.start(t0);
  expect(hindrances.isToAsk(t0 + 5 * s)).toBe(false);
  expect(hindrances.isToAsk(t0 + 8 * s)).toBe(true);
  expect(hindrances.isToAsk(t0 + 9 * s)).toBe(false);
  expect(hindrances.isToAsk(t0 + 28 * s)).toBe(true);
  for (const step of [retry(29), proven(29), bytes(29, 7)]) {
    step(hindrances);
    expect(hindrances.isToAsk(t0 + 36 * s)).toBe(false);
  }
});
