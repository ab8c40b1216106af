import { expect, test } from "bun:test";
import { optionsOf } from "../../cmd/throttle.ts";

type Input = Parameters<typeof optionsOf>[0];

const input = (more: Partial<Input> = {}): Input => ({
  ...{ "run-dir": "run", auto: false, min: undefined, max: undefined, every: undefined },
  ...{ cluster: undefined, json: false },
  ...more,
});

test.each<[Partial<Input>, string[], object]>([
  [{}, ["8"], { how: "once", tasks: 8 }],
  [{ auto: true }, [], { how: "auto", min: 1, max: undefined, everyMs: 30_000 }],
  [{ auto: true, min: 4, max: 4, every: 2 }, [], { how: "auto", min: 4, max: 4, everyMs: 2_000 }],
])("%p %p", (flags, words, options) => {
  expect(optionsOf(input(flags), words)).toEqual(options as ReturnType<typeof optionsOf>);
});

test.each<[Partial<Input>, string[], string]>([
  [{}, [], "say how many tasks may run at a time, or --auto"],
  [{}, ["0"], '"0" is no number of tasks'],
  [{}, ["-1"], '"-1" is no number of tasks'],
  [{}, ["8 tasks"], '"8 tasks" is no number of tasks'],
  [{}, ["9999999999"], '"9999999999" is no number of tasks'],
  [{ min: 2 }, ["8"], "--min is for --auto"],
  [{ every: 2 }, ["8"], "--every is for --auto"],
  [{ auto: true }, ["8"], '--auto finds the limit by itself: leave out "8"'],
  [{ auto: true, min: 9, max: 8 }, [], "--min 9 is more than --max 8"],
])("%p %p is refused", (flags, words, message) => {
  expect(() => optionsOf(input(flags), words)).toThrow(message);
});
