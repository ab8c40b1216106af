import { expect, test } from "bun:test";
import { parsePartitions } from "../../../lib/slurm/partitions.ts";

// What sinfo 22.05.8 printed, after a site's banner; with GPUs as gres.conf has them, and a partition without nodes.
const printed = `** maintenance on Sunday **
transfer|up|infinite|2|32|256000|(null)|idle|transfer*
short|up|10:00|1|32|256000|(null)|idle~|short
short|up|10:00|3|64+|512000|gpu:a100:4(S:0-1)|drained*|short
off|down|1-00:00:00|1|32|1|(null)|down*|off
none|up|infinite|0|0|0|(null)|n/a|none
`;

test("what sinfo prints of partitions and the kinds of their nodes is read", () => {
  const node = { count: 1, cpus: 32, memoryMb: 256_000, hasGpus: false, isUsable: true };
  expect(parsePartitions(printed)).toEqual([
    {
      ...{ name: "transfer", isDefault: true, state: "up", timeLimit: Number.POSITIVE_INFINITY },
      nodes: [{ ...node, count: 2 }],
    },
    {
      ...{ name: "short", isDefault: false, state: "up", timeLimit: 600 },
      nodes: [node, { count: 3, cpus: 64, memoryMb: 512_000, hasGpus: true, isUsable: false }],
    },
    {
      ...{ name: "off", isDefault: false, state: "down", timeLimit: 86_400 },
      nodes: [{ ...node, memoryMb: 1, isUsable: false }],
    },
    { name: "none", isDefault: false, state: "up", timeLimit: Number.POSITIVE_INFINITY, nodes: [] },
  ]);
  expect(parsePartitions("sinfo: error\n||||\n")).toEqual([]);
});
