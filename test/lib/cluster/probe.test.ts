import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProbeScript, parseNodeProbe } from "../../../lib/cluster/node-probe.ts";
import {
  bestPartition,
  farWord,
  type PartitionFacts,
  parseProbe,
  probeScript,
  rankClusters,
} from "../../../lib/cluster/probe.ts";
import type { Profile } from "../../../lib/cluster/profile.ts";

// What Slurm 22.05.8 printed, with a partition of GPUs as gres.conf has them.
const printed = `
== system
Linux x86_64
== glibc
glibc 2.36
== slurm
slurm-wlm 22.05.8
== limits
MaxArraySize            = 10001
MaxJobCount             = 20000
== pyxis
      --container-image=PATH  [pyxis] the image to use
== apptainer
== rclone
rclone v1.60.1-DEV
== partitions
transfer|transfer*|up|infinite|2|0/64/0/64|(null)
gpu|gpu|up|1-00:00:00|1|8/24/0/32|gpu:a100:4(S:0-1)
gpu|gpu|up|1-00:00:00|1|32/0/0/32|(null)
off|off|down|30:00|1|0/32/0/32|(null)
== pending
gpu
off
transfer,gpu
== conf
600
== root
writable
`;

const partition = {
  ...{ name: "a", isDefault: false, isUp: true, timeLimit: "infinite", nodes: 1 },
  ...{ cpus: 32, idleCpus: 32, hasGpus: false, pendingJobs: 0 },
} satisfies PartitionFacts;

describe("what a probe prints", () => {
  test("is read", () => {
    expect(parseProbe(printed)).toEqual({
      ...{ system: "Linux x86_64", glibc: "2.36", slurm: "22.05.8", maxArraySize: 10001, maxJobs: 20000 },
      ...{ pyxis: true, apptainer: false, rclone: "v1.60.1-DEV" },
      partitions: [
        { ...partition, name: "transfer", isDefault: true, nodes: 2, cpus: 64, idleCpus: 64, pendingJobs: 1 },
        {
          ...{ ...partition, name: "gpu", timeLimit: "1-00:00:00", nodes: 2, cpus: 64, idleCpus: 24 },
          ...{ hasGpus: true, pendingJobs: 2 },
        },
        { ...partition, name: "off", isUp: false, timeLimit: "30:00", pendingJobs: 1 },
      ],
      ...{ rcloneConfig: { mode: "0600" }, runRoot: "writable" },
    });
  });

  test("is read where every section is empty: a host without Slurm", () => {
    const empty = printed
      .split("\n")
      .filter((line) => line.startsWith("== "))
      .join("\n");
    expect(parseProbe(empty)).toEqual({
      ...{
        system: "unknown",
        glibc: undefined,
        slurm: undefined,
        maxArraySize: undefined,
        maxJobs: undefined,
      },
      ...{ pyxis: false, apptainer: false, rclone: undefined, partitions: [], rcloneConfig: undefined },
      runRoot: "not writable",
    });
  });

  test.each(["missing", "unreadable"] as const)("tells an rclone.conf that is %s", (word) => {
    expect(parseProbe(`== conf\n${word}\n`).rcloneConfig).toBe(word);
  });

  test("comes of a script that any POSIX shell runs, and that leaves nothing behind", () => {
    const dir = mkdtempSync(join(tmpdir(), "xfer probe '"));
    const script = probeScript({ run_root: `${dir}/not/yet`, rclone_config: "~/no such" });
    const { stdout, stderr } = Bun.spawnSync(["sh", "-c", script], {
      env: { PATH: "/usr/bin:/bin", HOME: "/h'ome" },
    });
    expect(stderr.toString()).toBe("");
    expect(parseProbe(stdout.toString())).toMatchObject({
      ...{ system: expect.stringMatching(/^\w+ \w+$/), rcloneConfig: "missing", runRoot: "writable" },
    });
    expect(readdirSync(dir)).toEqual([]);
    rmSync(dir, { recursive: true });
  });
});

test.each([
  ["/a b", "'/a b'"],
  ["~/a b", `"$HOME"'/a b'`],
  ["~", `"$HOME"''`],
  ["/a/~/b", "/a/~/b"],
])("the path %s is for a shell the word %s", (path, word) => {
  const home = Bun.spawnSync(["sh", "-c", `printf %s ${word}`], { env: { HOME: "/h" } }).stdout.toString();
  const own = Bun.spawnSync(["sh", "-c", `printf %s ${farWord(path)}`], {
    env: { HOME: "/h" },
  }).stdout.toString();
  expect(own).toBe(home);
});

describe("the best place for a transfer", () => {
  const one = (name: string, facts: Partial<PartitionFacts>) => ({ ...partition, name, ...facts });
  test.each<[string, PartitionFacts[], string | undefined]>([
    ["has no GPUs", [one("g", { hasGpus: true }), one("c", { idleCpus: 0, pendingJobs: 9 })], "c"],
    ["has few jobs waiting", [one("a", { pendingJobs: 9 }), one("b", { pendingJobs: 1 })], "b"],
    [
      "has few for each idle CPU",
      [one("a", { pendingJobs: 2, idleCpus: 2 }), one("b", { pendingJobs: 9 })],
      "b",
    ],
    ["is idle", [one("a", { idleCpus: 3 }), one("b", { idleCpus: 30 })], "b"],
    ["is up", [one("a", { isUp: false }), one("b", { hasGpus: true })], "b"],
    ["is nowhere", [one("a", { isUp: false })], undefined],
  ])("%s", (_, partitions, best) => {
    expect(bestPartition({ partitions })?.name).toBe(best);
  });

  test.each([
    ["b", "b"],
    ["x,b", "b"],
    ["x", undefined],
  ])("is one of those that are named: %s", (wanted, best) => {
    expect(bestPartition({ partitions: [one("a", {}), one("b", { hasGpus: true })] }, wanted)?.name).toBe(
      best,
    );
  });

  test("orders clusters, those that have none last", () => {
    const cluster = (name: string, ...partitions: PartitionFacts[]) => ({
      ...{ name, facts: { partitions }, profile: name === "named" ? { partition: "n" } : {} },
    });
    const ranked = rankClusters([
      cluster("none"),
      cluster("gpus", one("g", { hasGpus: true })),
      cluster("named", one("c", {}), one("n", { idleCpus: 0, pendingJobs: 60 })),
      cluster("busy", one("c", { idleCpus: 1, pendingJobs: 50 })),
      cluster("idle", one("g", { hasGpus: true }), one("c", {})),
    ]);
    expect(ranked.map(({ name }) => name)).toEqual(["idle", "busy", "named", "gpus", "none"]);
  });
});

describe("what steps on a compute node print", () => {
  const waits = "srun: job 4 queued and waiting for resources\nsrun: job 4 has been allocated resources\n";
  test.each<[string, string, object]>([
    [
      "that all is well",
      `== node\n${waits}runs\n== image\n${waits}rclone v1.60.1-DEV\n- os/version: x\n`,
      { runRoot: "runs", rclone: { version: "v1.60.1-DEV" } },
    ],
    [
      "that the folder is on no node, and the image is missing",
      "== node\nslurmstepd: error: execve(): /r/.xfer-probe.7: No such file or directory\n" +
        "srun: error: n1: task 0: Exited with exit code 2\n== image\n" +
        `${waits}srun: error: n1: task 0: Exited with exit code 1\n` +
        "slurmstepd-n1: error: pyxis: child 15572 failed with error code: 1\n" +
        "slurmstepd-n1: error: pyxis: failed to create container filesystem for image: /no/such\n" +
        "slurmstepd-n1: error: pyxis: printing enroot log file:\n" +
        "slurmstepd-n1: error: pyxis:     [ERROR] No such file or directory: /no/such\n",
      {
        runRoot: { problem: "execve(): /r/.xfer-probe.7: No such file or directory" },
        rclone: { problem: "[ERROR] No such file or directory: /no/such" },
      },
    ],
    [
      "that no node is free, and the partition is none",
      "== node\nsrun: Partition in DOWN state\nsrun: error: Unable to allocate resources: Requested nodes are busy\n" +
        "== image\nsrun: error: invalid partition specified: nope\n" +
        "srun: error: Unable to allocate resources: Invalid partition name specified\n",
      {
        runRoot: { problem: "srun got no node: Requested nodes are busy" },
        rclone: { problem: "srun got no node: Invalid partition name specified" },
      },
    ],
    [
      "nothing",
      "",
      { runRoot: { problem: "srun printed nothing" }, rclone: { problem: "srun printed nothing" } },
    ],
  ])("%s", (_, text, expected) => {
    expect(parseNodeProbe(text)).toEqual(expected as ReturnType<typeof parseNodeProbe>);
  });

  const base: Profile = { schema: "xfer.cluster.v1", name: "c", host: "h", run_root: "/r", mounts: [] };
  const step = "srun -n 1 '--immediate=120' '--time=5' '--partition=p'";
  test.each<[string, Partial<Profile>, string]>([
    ["pyxis", { image: "/i x" }, `${step} --container-image='/i x' rclone version`],
    ["apptainer", { image: "~/i", runtime: "apptainer" }, `${step} apptainer exec "$HOME"/i rclone version`],
    ["no container", { image: "/i", runtime: "host" }, `${step} rclone version`],
    ["no image", {}, `${step} rclone version`],
  ])("come of a script with %s", (_, fields, line) => {
    const plain = (text: string) => text.replace(/'(-[^']*)'/g, "$1");
    expect(plain(nodeProbeScript({ ...base, partition: "p", ...fields }))).toContain(plain(line));
  });
});
