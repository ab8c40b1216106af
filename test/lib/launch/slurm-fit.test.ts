import { describe, expect, test } from "bun:test";
import { partitionFindings } from "../../../lib/launch/slurm-fit.ts";
import type { NodeKind, Partition } from "../../../lib/slurm/partitions.ts";
import { requestOfWords } from "../../../lib/slurm/task-request.ts";

const node: NodeKind = { count: 2, cpus: 32, memoryMb: 64_000, hasGpus: false, isUsable: true };
const none = Number.POSITIVE_INFINITY;
const part = (name: string, more: Partial<Partition> = {}): Partition => ({
  ...{ name, isDefault: false, state: "up", timeLimit: none, nodes: [node], ...more },
});

const partitions = [
  part("cpu", { isDefault: true, timeLimit: 86_400 }),
  part("short", { timeLimit: 600 }),
  part("off", { state: "down" }),
  part("drained", { state: "drain" }),
  part("gpu", { nodes: [{ ...node, hasGpus: true }] }),
  part("dead", { nodes: [{ ...node, isUsable: false }] }),
  part("cloud", { nodes: [] }),
  part("mixed", {
    nodes: [
      { ...node, memoryMb: 512_000, cpus: 4 },
      { ...node, hasGpus: true },
    ],
  }),
  part("unmanaged", { nodes: [{ ...node, memoryMb: 1 }] }),
];

/** The states of partition, time-limit, memory, cpus and gpus by their first letters: "o", "w", "f" or "s". */
const statesOf = (words: string, known: readonly Partition[] | undefined = partitions) =>
  partitionFindings(requestOfWords(words.split(" ").filter(Boolean), {}), known)
    .map(({ state }) => state.charAt(0))
    .join("");

describe("whether partitions can run a task: partition, time limit, memory, CPUs, GPUs", () => {
  test.each([
    ["-p cpu -t 60 --mem=8G -c 4", "ooooo"],
    ["-t 60 --mem=8G -c 4", "ooooo"],
    ["", "ossso"],
    ["-p nope -t 60", "fssss"],
    ["-p cpu,nope -t 60", "fssss"],
    ["-p off -t 60 --mem=8G -c 4", "foooo"],
    ["-p drained -t 60 --mem=8G -c 4", "foooo"],
    ["-p off,cpu -t 60 --mem=8G -c 4", "woooo"],
    ["-p dead -t 60 --mem=8G -c 4", "woooo"],
    ["-p cloud -t 60 --mem=8G -c 4", "oosss"],
    // Time limits.
    ["-p short -t 10 --mem=8G -c 4", "ooooo"],
    ["-p short -t 11 --mem=8G -c 4", "ofooo"],
    ["-p short -t UNLIMITED --mem=8G -c 4", "ofooo"],
    ["-p short -t 11 --qos=long --mem=8G -c 4", "owooo"],
    ["-p short,cpu -t 11 --mem=8G -c 4", "owooo"],
    ["-p gpu -t UNLIMITED --mem=8G -c 4", "oooow"],
    // Memory and CPUs.
    ["-p cpu -t 60 --mem=64000 -c 32", "ooooo"],
    ["-p cpu -t 60 --mem=64001 -c 4", "oofoo"],
    ["-p cpu -t 60 --mem=0 -c 4", "ooooo"],
    ["-p cpu -t 60 --mem=8G -c 33", "ooofo"],
    ["-p cpu -t 60 --mem=100G -c 33", "ooffo"],
    ["-p mixed -t 60 --mem=100G -c 4", "ooooo"],
    ["-p mixed -t 60 --mem=100G -c 8", "ooofo"],
    ["-p unmanaged -t 60 --mem=8G -c 4", "oosoo"],
    // Rules of their own.
    ["-p nope --reservation=r", "sssss"],
    ["-p nope --clusters=b", "sssss"],
  ])("%s: %s", (words, states) => expect(statesOf(words)).toBe(states));

  test("where Slurm tells nothing, nothing is refused; without a default partition one must be named", () => {
    expect(
      partitionFindings(requestOfWords(["--partition=nope"], {}), undefined).map(({ state }) => state),
    ).toEqual(Array.from({ length: 5 }, () => "skipped"));
    expect(statesOf("", [part("cpu")])).toBe("fssss");
  });

  test("a failure says what would work", () => {
    const mendsOf = (words: string) =>
      partitionFindings(requestOfWords(words.split(" "), {}), partitions.slice(0, 3)).flatMap(
        ({ mend }) => mend ?? [],
      );
    expect(mendsOf("-p nope")).toEqual(["render with a --partition that is: cpu, short, off"]);
    expect(mendsOf("-p off")).toEqual(["wait until it is, or render with another --partition: cpu, short"]);
    expect(mendsOf("-p short -t 11 --mem=100G -c 99")).toEqual([
      "render with --time-limit 10 (minutes) at most, or another --partition",
      "render with --mem 64000M at most",
      "render with --cpus-per-task 32 at most",
    ]);
  });
});
