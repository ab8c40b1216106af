import { expect, test } from "bun:test";
import {
  arraySeconds,
  clusterDefaults,
  objectOverheadBytesDefault,
  requestsOf,
} from "../../../lib/estimate/cost-model.ts";

const MiB = 1024 * 1024;

test("an object costs its bytes and as many as a task moves in the time that it takes to start one", () => {
  // 500 MiB a second, 500 objects a second.
  expect(objectOverheadBytesDefault).toBe(MiB);
});

/** [what it is, objects, bytes, shards, changes of the cluster, seconds]: 15 s to start, 500 MiB and 500 objects a second */
test.each<[string, number, number, number, Partial<typeof clusterDefaults>, number]>([
  ["nothing but its start", 0, 0, 1, {}, 15],
  ["a second of bytes", 0, 500 * MiB, 1, {}, 16],
  ["a second of objects", 500, 0, 1, {}, 16],
  ["both, in two shards at a time", 500, 500 * MiB, 2, {}, 16],
  ["one wave that is full", 6_400 * 500, 0, 64, {}, 115],
  ["one shard more is one wave more", 6_500 * 500, 0, 65, {}, 230],
  ["fewer at a time by the cores", 500, 0, 4, { coreBudget: 8 }, 2 * 15.25],
  ["a budget below one task runs one", 500, 0, 2, { coreBudget: 1 }, 2 * 15.5],
  ["fewer at a time by the array", 500, 0, 2, { arrayConcurrency: 1 }, 2 * 15.5],
])("the array takes for %s", (_, objects, bytes, shards, changes, seconds) => {
  expect(arraySeconds({ objects, bytes }, shards, { ...clusterDefaults, ...changes })).toBeCloseTo(seconds);
});

test.each<[string, Parameters<typeof requestsOf>[0], ReturnType<typeof requestsOf>]>([
  [
    "nothing: it is listed all the same",
    { objects: 0, bytes: 0, inParts: 0, bytesInParts: 0 },
    { list: 1, get: 0, put: 0, part_put: 0, part_post: 0 },
  ],
  [
    "a page",
    { objects: 1_000, bytes: 1, inParts: 0, bytesInParts: 0 },
    { list: 1, get: 1_000, put: 1_000, part_put: 0, part_post: 0 },
  ],
  [
    "one more than a page",
    { objects: 1_001, bytes: 1, inParts: 0, bytesInParts: 0 },
    { list: 2, get: 1_001, put: 1_001, part_put: 0, part_post: 0 },
  ],
  [
    "two objects in parts of 5 MiB, one of 50 and one of 60 and a half",
    { objects: 3, bytes: 553 * MiB, inParts: 2, bytesInParts: 552.5 * MiB },
    { list: 1, get: 3, put: 1, part_put: 112, part_post: 4 },
  ],
])("the requests of %s", (_, data, requests) => {
  expect(requestsOf(data)).toEqual(requests);
});
