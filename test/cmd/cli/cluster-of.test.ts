import { describe, expect, test } from "bun:test";
import { clusterOf, farWords, wordsThere } from "../../../cmd/cli/cluster-of.ts";
import { clusterFlag, namedClusterFlag } from "../../../cmd/flags/cluster.ts";
import type { Flags } from "../../../cmd/flags/flag.ts";
import { listRootFlag } from "../../../cmd/flags/listing.ts";
import { rcloneFlags } from "../../../cmd/flags/rclone.ts";
import { renderFlags } from "../../../cmd/flags/render.ts";
import type { Profile } from "../../../lib/cluster/profile.ts";

const handed: Flags = { cluster: clusterFlag };

test.each<[string, Flags, string[], Record<string, string>, string | undefined]>([
  ["a flag", handed, ["--json", "--cluster=weka"], {}, "weka"],
  ["the last of two", handed, ["--cluster=a", "--cluster=b"], {}, "b"],
  ["the variable", handed, [], { XFER_CLUSTER: "weka" }, "weka"],
  ["the flag before the variable", handed, ["--cluster=a"], { XFER_CLUSTER: "b" }, "a"],
  ["neither", handed, [], {}, undefined],
  ["an empty variable", handed, [], { XFER_CLUSTER: "" }, undefined],
  [
    "a command that works with a cluster from here",
    { cluster: namedClusterFlag },
    ["--cluster=a"],
    {},
    undefined,
  ],
  ["a command that knows no cluster", {}, [], { XFER_CLUSTER: "a" }, undefined],
])("the cluster to hand over to: %s", (_, flags, words, env, cluster) => {
  expect(clusterOf(flags, words, env)).toBe(cluster);
});

test.each(["build-cluster", "cluster-binary"])("--%s without a cluster is refused", (name) => {
  const words = [`--${name}=a`];
  expect(() => clusterOf(handed, words, {})).toThrow(`--${name} is for a command that goes to a cluster`);
  expect(clusterOf(handed, words, { XFER_CLUSTER: "b" })).toBe("b");
});

test("a command goes over as it is, without the cluster's name", () => {
  expect(farWords("xfer manifest build", ["--source=a b", "--cluster=weka", "--json"])).toEqual([
    "manifest",
    "build",
    "--source=a b",
    "--json",
  ]);
});

describe("words that a command gets at a cluster", () => {
  const profile = {
    mounts: [
      { root: "s3:data", path: "/mnt/data" },
      { root: "s3:data/deep", path: "/fast/deep" },
      { root: "all:", path: "/all" },
    ],
  } as Partial<Profile> as Profile;
  const flags: Flags = { ...renderFlags, "list-root": listRootFlag };
  const agent = "--agent-path=/r/xfer";

  test.each<[string, string[]]>([
    ["--source=s3:data", [agent, "--list-root=/mnt/data"]],
    ["--source=s3:data/x y", [agent, "--list-root=/mnt/data/x y"]],
    ["--source=s3:data/deep/x", [agent, "--list-root=/fast/deep/x"]],
    ["--source=s3:data2", [agent]],
    ["--source=all:b/x", [agent, "--list-root=/all/b/x"]],
    ["--source=s3:data --no-posix-list", [agent]],
    ["--source=s3:data --list-root=/other", [agent]],
    ["--source=s3:data --agent-path=/mine", ["--list-root=/mnt/data"]],
    ["", [agent]],
  ])("%s", (line, words) => {
    const given = line.split(" --").map((word, i) => (i === 0 ? word : `--${word}`));
    expect(wordsThere({ name: "xfer run", flags }, given, { binary: "/r/xfer", profile })).toEqual(words);
  });

  test("only flags that the command has", () => {
    expect(
      wordsThere({ name: "xfer run", flags: handed }, ["--source=s3:data"], { binary: "/r/xfer", profile }),
    ).toEqual([]);
  });

  test.each<[string, string[]]>([
    ["", ["--rclone-image=/i", "--rclone-config=/c", "--pyxis-extra=--partition=p", "--partition=p"]],
    ["--partition=mine", ["--rclone-image=/i", "--rclone-config=/c", "--pyxis-extra=--partition=mine"]],
    ["--rclone-image=", ["--rclone-config=/c", "--pyxis-extra=--partition=p", "--partition=p"]],
    ["--runtime=host", ["--rclone-config=/c", "--partition=p"]],
  ])("from the profile: what %p leaves open", (word, words) => {
    const full = { ...profile, image: "/i", rclone_config: "/c", partition: "p" };
    const own: Flags = { ...renderFlags, ...rcloneFlags };
    const there = wordsThere({ name: "xfer run", flags: own }, [word], { binary: "/r/xfer", profile: full });
    expect(there).toEqual([...words, agent]);
  });
});
