import { describe, expect, test } from "bun:test";
import { cleanedJson, cleanedText, profilesText, profileText } from "../../../cmd/view/cluster.ts";
import { probeJson, probeNotes, probeText } from "../../../cmd/view/probe.ts";
import { confCheckJson, confCheckText, deployedText } from "../../../cmd/view/rclone-config.ts";
import { columnsText } from "../../../cmd/view/table.ts";
import type { ClusterFacts } from "../../../lib/cluster/probe.ts";
import type { Profile } from "../../../lib/cluster/profile.ts";

const profile: Profile = {
  schema: "xfer.cluster.v1",
  name: "weka",
  host: "me@login",
  run_root: "~/r",
  mounts: [],
};
const facts: ClusterFacts = {
  ...{ system: "Linux x86_64", glibc: "2.36", slurm: "22.05.8", maxArraySize: 1001, maxJobs: 10000 },
  ...{
    pyxis: true,
    apptainer: false,
    rclone: undefined,
    rcloneConfig: { mode: "0600" },
    runRoot: "writable",
  },
  partitions: [
    {
      ...{ name: "cpu", isDefault: true, isUp: true, timeLimit: "1-00:00:00", nodes: 2 },
      ...{ cpus: 1024, idleCpus: 256, hasGpus: false, pendingJobs: 3 },
    },
  ],
};

test("columns are as wide as their widest word, and no line ends with blanks", () => {
  expect(
    columnsText(
      [
        ["a", "bb", "c"],
        ["ccc", "d", ""],
      ],
      " ",
    ),
  ).toBe(" a    bb  c\n ccc  d\n");
  expect(columnsText([])).toBe("");
});

test("profiles, one and all", () => {
  const full = { ...profile, partition: "p", mounts: [{ root: "a:b", path: "/x" }] };
  expect(profileText(full)).toBe(
    "weka\n  host       me@login\n  run root   ~/r\n  partition  p\n  mount      a:b is /x\n",
  );
  expect(profilesText([full, { ...profile, name: "b" }], "b")).toBe(
    "cluster  host      partition  run root\nweka     me@login  p          ~/r\nb*       me@login  -          ~/r\n",
  );
  expect(profilesText([], undefined)).toContain("xfer cluster add");
});

describe("a probe", () => {
  const failed = { profile: { ...profile, name: "far" }, problem: "far did not answer" };
  const whole = { profile, facts, node: undefined };

  test("is a table with the partitions of each cluster below it; one that failed is a line", () => {
    expect(probeText([whole, failed])).toBe(
      "cluster  system        slurm    best partition  idle CPUs           waiting  rclone.conf  run root\n" +
        "weka     Linux x86_64  22.05.8  cpu (CPU only)  256 of 1,024 (25%)  3        0600         writable\n" +
        "far: far did not answer\n\nweka\n" +
        "  containers: pyxis; rclone on the login node: none; glibc: 2.36\n" +
        "  limits: 1,000 is the highest task of an array, 10,000 jobs\n" +
        "  partition  kind      idle CPUs           waiting  time limit\n" +
        "  cpu*       CPU only  256 of 1,024 (25%)  3        1-00:00:00\n",
    );
    expect(probeText([failed])).toBe("far: far did not answer\n");
  });

  test("is JSON with the same", () => {
    const { clusters } = probeJson([whole, failed]);
    expect(clusters[0]).toMatchObject({ name: "weka", problem: null, best_partition: "cpu", node: null });
    expect(clusters[1]).toEqual({
      name: "far",
      host: "me@login",
      run_root: "~/r",
      problem: "far did not answer",
    });
  });

  test.each<[string, Partial<ClusterFacts>, string[]]>([
    ["nothing", {}, []],
    [
      "an open rclone.conf",
      { rcloneConfig: { mode: "0640" } },
      ["others can read /c (mode 0640): chmod 600 it there"],
    ],
    [
      "a missing one",
      { rcloneConfig: "missing" },
      ["/c is missing: xfer rclone-config deploy sends remotes there"],
    ],
    ["a run root", { runRoot: "not writable" }, ["the run root ~/r is not writable: choose another"]],
  ])("tells what is wrong: %s", (_, more, notes) => {
    const known = { ...profile, rclone_config: "/c" };
    const told = probeNotes([{ profile: known, facts: { ...facts, ...more }, node: undefined }, failed]);
    expect(told).toEqual(notes.map((note) => expect.stringContaining(`weka: ${note}`)));
  });
});

test("an rclone.conf that was looked at", () => {
  const conf = { path: "/c", state: "there", mode: "0600", sum: "1 2", remotes: ["a", "b"] } as const;
  const check = { name: "weka", conf: { ...conf, remotes: ["a", "b"] }, problem: undefined };
  const reached = [{ root: "a:x", problem: "refused" }];
  expect(confCheckText({ ...check, wanted: ["a", "d"], missing: ["d"], reached })).toBe(
    "weka: /c, mode 0600\n  a    there\n  d    missing: xfer rclone-config deploy sends it there\n  a:x  refused\n",
  );
  expect(confCheckText({ ...check, wanted: [], missing: [], reached: [] })).toBe(
    "weka: /c, mode 0600\n  a  there\n  b  there\n",
  );
  expect(confCheckJson({ ...check, wanted: ["a"], missing: [], reached })).toMatchObject({
    ...{ cluster: "weka", state: "there", mode: "0600", problem: null, wanted: ["a"] },
    reached: [{ root: "a:x", reached: false, problem: "refused" }],
  });
  const closed = { ...check, conf: { ...conf, state: "encrypted" as const, remotes: [] } };
  expect(confCheckText({ ...closed, problem: "is encrypted", wanted: ["a"], missing: [], reached: [] })).toBe(
    "weka: is encrypted\n  a  not known\n",
  );
  expect(deployedText({ name: "weka", path: "/c", remotes: ["a", "b"], replaced: ["b"] })).toBe(
    "weka: /c has a, b; replaced: b\n",
  );
});

test("what was cleaned, and what would be", () => {
  const binaries = [
    { name: "xfer-1", bytes: 1024, keep: "a run uses it" as const },
    { name: "xfer-22", bytes: 10, keep: undefined },
  ];
  expect(cleanedText({ name: "weka", binaries, isDone: true })).toBe(
    "weka\n  xfer-1   1.0 KiB  stays: a run uses it\n  xfer-22  10 B     removed\n",
  );
  expect(cleanedText({ name: "weka", binaries, isDone: false })).toContain("not used: --yes removes it\n");
  expect(cleanedText({ name: "weka", binaries: [], isDone: false })).toBe("weka: no xfer lies there\n");
  expect(cleanedJson({ name: "weka", binaries, isDone: true }).binaries).toEqual([
    { name: "xfer-1", bytes: 1024, keep: "a run uses it", removed: false },
    { name: "xfer-22", bytes: 10, keep: null, removed: true },
  ]);
});
