import { expect, test } from "bun:test";
import { parseAssociations, parseQos } from "../../../lib/slurm/accounting.ts";

const unlimited = {
  ...{ maxJobs: undefined, maxSubmit: undefined, maxWall: undefined },
  ...{ maxCpus: undefined, maxMemoryMb: undefined },
};

test("what sacctmgr -nP prints of a user's accounts is read, those of this cluster alone", () => {
  const printed = [
    "big|lab|lab||normal,long|normal|10|100|1-00:00:00|cpu=64,mem=7.50G,node=1",
    "big|lab|guest|debug|normal||||| ",
    "other|lab|lab||normal||||||",
    "a line of something else",
    "big|lab|||normal|||||",
  ].join("\n");
  expect(parseAssociations(printed, "big")).toEqual([
    {
      ...{ account: "lab", isDefault: true, partition: "", qos: ["normal", "long"], defaultQos: "normal" },
      ...{ maxJobs: 10, maxSubmit: 100, maxWall: 86_400, maxCpus: 64, maxMemoryMb: 7680 },
    },
    {
      ...{ account: "guest", isDefault: false, partition: "debug", qos: ["normal"], defaultQos: "" },
      ...unlimited,
    },
  ]);
  expect(parseAssociations("", "big")).toEqual([]);
});

test("what sacctmgr -nP prints of QOS is read", () => {
  const found = parseQos("normal||||\nlong|5|50|7-00:00:00|mem=500\nbroken|line\n");
  expect([...found]).toEqual([
    ["normal", unlimited],
    ["long", { ...unlimited, maxJobs: 5, maxSubmit: 50, maxWall: 604_800, maxMemoryMb: 500 }],
  ]);
});
