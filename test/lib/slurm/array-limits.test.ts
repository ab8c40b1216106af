import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ArrayLimits,
  type ArrayPlan,
  packArray,
  parseArrayLimits,
  planArray,
  shardsOfTask,
} from "../../../lib/slurm/array-limits.ts";

/** What `scontrol show config` of Slurm 22.05 printed; paths and host names are shortened. */
const config = readFileSync(join(import.meta.dir, "..", "..", "data", "slurm", "config.txt"), "utf8");
const withScheduler = (value: string) =>
  config.replace(/^(SchedulerParameters\s*= ).*$/m, (_, start: string) => `${start}${value}`);
const without = (name: string) => config.replace(new RegExp(`^${name}\\s*=.*\n`, "m"), "");

describe("the limits of arrays, from scontrol show config", () => {
  const rows: [string, string, ArrayLimits][] = [
    ["as printed", config, { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 20_000 }],
    [
      "max_array_tasks alone",
      withScheduler("max_array_tasks=200"),
      { maxArraySize: 1001, maxArrayTasks: 200, maxJobCount: 20_000 },
    ],
    [
      "max_array_tasks among others",
      withScheduler("bf_continue,max_array_tasks=0, sched_interval=1"),
      { maxArraySize: 1001, maxArrayTasks: 0, maxJobCount: 20_000 },
    ],
    [
      "a parameter whose name only ends like it",
      withScheduler("x_max_array_tasks=7"),
      { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 20_000 },
    ],
    [
      "no SchedulerParameters",
      withScheduler("(null)"),
      { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 20_000 },
    ],
    [
      "no line of MaxJobCount",
      without("MaxJobCount"),
      { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 10_000 },
    ],
    [
      "a large site",
      config.replace(/^(MaxArraySize\s*=) .*$/m, "$1 4000001"),
      { maxArraySize: 4_000_001, maxArrayTasks: undefined, maxJobCount: 20_000 },
    ],
    ["nothing", "", { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 10_000 }],
  ];
  for (const [what, text, limits] of rows) {
    test(what, () => expect(parseArrayLimits(text)).toEqual(limits));
  }
});

describe("how many tasks carry the shards", () => {
  const slurm: ArrayLimits = { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 10_000 };
  const rows: [string, number, Partial<ArrayLimits>, number][] = [
    ["one shard", 1, {}, 1],
    ["fewer shards than indices", 256, {}, 256],
    ["as many shards as indices", 1001, {}, 1001],
    ["one shard more", 1002, {}, 1001],
    ["fewer tasks than indices", 1000, { maxArrayTasks: 200 }, 200],
    ["more tasks than indices", 1002, { maxArrayTasks: 5000 }, 1001],
    ["fewer jobs than tasks: the array itself is one", 1000, { maxJobCount: 100 }, 99],
    ["no arrays by their size", 10, { maxArraySize: 0 }, 0],
    ["no arrays by their tasks", 10, { maxArrayTasks: 0 }, 0],
    ["no jobs", 10, { maxJobCount: 0 }, 0],
  ];
  for (const [what, shards, limits, tasks] of rows) {
    test(what, () => expect(packArray(shards, { ...slurm, ...limits })).toBe(tasks));
  }
});

describe("the tasks that carry some shards of a run", () => {
  const slurm: ArrayLimits = { maxArraySize: 1001, maxArrayTasks: undefined, maxJobCount: 10_000 };
  const own = (tasks: number[]): ArrayPlan => ({ tasks, stride: null, carriesMore: false });
  const all = (count: number) => [...Array(count).keys()];
  const rows: [string, number[], number, Partial<ArrayLimits>, ArrayPlan | undefined][] = [
    ["all", all(4), 4, {}, own([0, 1, 2, 3])],
    ["some", [1, 3], 4, {}, own([1, 3])],
    ["some of a packed run whose numbers fit", [3, 900], 5000, {}, own([3, 900])],
    ["the highest index", [1000], 5000, {}, own([1000])],
    ["a number that is no index", [1001], 5000, {}, { tasks: [0], stride: 1001, carriesMore: true }],
    ["two of one task", [7, 1008, 2009], 2010, {}, { tasks: [7], stride: 1001, carriesMore: false }],
    [
      "more than the tasks at a time",
      [0, 1, 2, 5],
      6,
      { maxArrayTasks: 3 },
      { tasks: [0, 1, 2], stride: 3, carriesMore: true },
    ],
    ["as many as the tasks at a time", [0, 2, 5], 6, { maxArrayTasks: 3 }, own([0, 2, 5])],
    ["none", [], 6, {}, undefined],
    ["no arrays", [1], 6, { maxArraySize: 0 }, undefined],
  ];
  test.each(rows)("%s", (_, shards, numShards, limits, plan) => {
    expect(planArray(shards, numShards, { ...slurm, ...limits })).toEqual(plan);
  });

  test("a task that carries only what is done beside them needs not be told", () => {
    const isDone = (shard: number) => shard !== 5;
    expect(planArray([1001], 1003, slurm, isDone)).toEqual({ tasks: [0], stride: 1001, carriesMore: false });
  });
});

test("every shard has one task, whatever the number of tasks, and no task has two more than another", () => {
  for (let shards = 1; shards <= 40; shards++) {
    for (let stride = 1; stride <= shards; stride++) {
      const tasks = Array.from({ length: stride }, (_, task) => shardsOfTask(task, stride, shards));
      expect(tasks.flat().sort((a, b) => a - b)).toEqual([...Array(shards).keys()]);
      const lengths = tasks.map((one) => one.length);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
    }
  }
  expect(shardsOfTask(2, 5, 11)).toEqual([2, 7]);
  expect(shardsOfTask(11, 5, 11)).toEqual([]);
});
