import { arraySeconds, clusterDefaults, objectOverheadBytesDefault } from "../../lib/estimate/cost-model.ts";
import { LeastLoaded } from "../../lib/shard/least-loaded.ts";
import { planShards } from "../../lib/shard/plan.ts";
import { RangeCutter } from "../../lib/shard/range-cutter.ts";
import { SurveyCollector } from "../../lib/shard/survey.ts";
import { seededRandom } from "../data/fill.ts";
import { paretoSize } from "../data/manifest.ts";

/** Array tasks at a time, and shards: five full waves. */
const places = 96;
const numShards = 480;

/** Bytes and objects of each shard. */
interface Shards {
  bytes: Float64Array;
  objects: Float64Array;
}

/** Seconds of a task with this much to copy, its start included. */
function taskSeconds(bytes: number, objects: number): number {
  return arraySeconds({ bytes, objects }, 1, clusterDefaults);
}

/** When an array ends whose tasks start in order, each in the first place that is free. */
function makespan({ bytes, objects }: Shards): number {
  const busyUntil = new Float64Array(places);
  const queue = new LeastLoaded(busyUntil);
  bytes.forEach((shardBytes, shard) => {
    const place = queue.least(() => false) ?? 0;
    busyUntil[place] = (busyUntil[place] ?? 0) + taskSeconds(shardBytes, objects[shard] ?? 0);
  });
  return Math.max(...busyUntil);
}

function shardsBy(sizes: Float64Array, shardOf: (size: number, i: number) => number): Shards {
  const shards = { bytes: new Float64Array(numShards), objects: new Float64Array(numShards) };
  sizes.forEach((size, i) => {
    const shard = shardOf(size, i);
    shards.bytes[shard] = (shards.bytes[shard] ?? 0) + size;
    shards.objects[shard] = (shards.objects[shard] ?? 0) + 1;
  });
  return shards;
}

/** As `xfer manifest shard` does it. */
function byPlan(sizes: Float64Array): Shards {
  const weigh = (size: number) => size + objectOverheadBytesDefault;
  const survey = new SurveyCollector(numShards);
  for (const size of sizes) survey.add(size, weigh(size));
  const plan = planShards(survey, numShards, Number.POSITIVE_INFINITY);
  const weight = plan.room.reduce((sum, room) => sum + room, 0);
  const cutter = new RangeCutter(
    plan,
    { records: sizes.length - plan.placed.size, weight },
    Number.POSITIVE_INFINITY,
  );
  return shardsBy(sizes, (size, i) => plan.placed.get(i) ?? cutter.next(weigh(size)));
}

/** Plain greedy by bytes: from the largest object to the smallest, each to the shard with the fewest bytes. */
function byGreedy(sizes: Float64Array): Shards {
  const loads = new Float64Array(numShards);
  const queue = new LeastLoaded(loads);
  return shardsBy(
    sizes.toSorted((a, b) => b - a),
    (size) => {
      const shard = queue.least(() => false) ?? 0;
      loads[shard] = (loads[shard] ?? 0) + size;
      return shard;
    },
  );
}

/** No array can end sooner: all work over all places, or the largest object by itself. */
function lowerBound(sizes: Float64Array): number {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const work = taskSeconds(bytes, sizes.length) + (numShards - 1) * taskSeconds(0, 0);
  return Math.max(work / places, taskSeconds(largest, 1));
}

/** The end of an array over skewed data sets: this sharding, greedy by bytes, and what nothing can beat. */
export function makespanTable(): string {
  const random = seededRandom(7);
  const pareto = Float64Array.from({ length: 1_000_000 }, () => paretoSize(random));
  const fewHuge = Float64Array.from({ length: 1_000_000 }, (_, i) =>
    i % 1000 === 7 ? 2 ** 30 : Math.floor(random() * 2000),
  );
  const mixed = Float64Array.from({ length: 1_000_000 }, (_, i) =>
    i % 2 === 0 ? Math.floor(random() * 10_000) : Math.floor(random() * 50e6),
  );
  const rows: [string, Float64Array][] = [
    ["Pareto sizes", pareto],
    ["1,000 of 1 GiB, others tiny", fewHuge],
    ["half tiny, half to 50 MB", mixed],
  ];
  const seconds = (value: number) => `${value.toFixed(0)} s`.padStart(12);
  let text = `\nend of an array of ${numShards} shards, ${places} at a time, 1,000,000 objects (lib/estimate/cost-model.ts)\n`;
  text += `${"".padEnd(30)}${["lower bound", "this", "x bound", "greedy", "x bound"].map((cell) => cell.padStart(12)).join("")}\n`;
  for (const [name, sizes] of rows) {
    const bound = lowerBound(sizes);
    const [ours, greedy] = [makespan(byPlan(sizes)), makespan(byGreedy(sizes))];
    const times = (value: number) => (value / bound).toFixed(3).padStart(12);
    text += `${name.padEnd(30)}${seconds(bound)}${seconds(ours)}${times(ours)}${seconds(greedy)}${times(greedy)}\n`;
  }
  return text;
}
