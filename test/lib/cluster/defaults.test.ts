import { describe, expect, test } from "bun:test";
import { explain, profileDefaults } from "../../../lib/cluster/defaults.ts";
import type { Profile } from "../../../lib/cluster/profile.ts";

const plain: Profile = { schema: "xfer.cluster.v1", name: "c", host: "h", run_root: "/r", mounts: [] };
const full: Profile = {
  ...plain,
  runtime: "pyxis",
  image: "/i.sqsh",
  rclone_config: "~/r.conf",
  partition: "p",
  account: "a",
  sbatch_extras: "--qos=high --comment='two words'",
};

describe("what a profile says for the flags of a command", () => {
  const reach = { runtime: "pyxis", "rclone-image": "/i.sqsh", "rclone-config": "~/r.conf" };
  const srun = { "pyxis-extra": "--partition=p --account=a --qos=high" };
  const sbatch = { partition: "p", "sbatch-extras": "--account=a --qos=high '--comment=two words'" };
  test.each<[string, object]>([
    ["xfer run", { ...reach, ...srun, ...sbatch }],
    ["xfer manifest build", { ...reach, ...srun }],
    ["xfer manifest delta", { ...reach, ...srun }],
    ["xfer manifest import", { ...reach, ...srun }],
    ["xfer slurm render", { ...reach, ...sbatch }],
    ["xfer doctor", { ...reach, ...sbatch }],
    ["xfer slurm submit", {}],
    ["xfer verify", {}],
    ["xfer manifest shard", {}],
  ])("%s", (command, expected) => {
    expect(profileDefaults(full, command)).toEqual(expected as Record<string, string>);
  });

  test("a doctor that looks at a run gets nothing: the run says it by itself", () => {
    expect(profileDefaults(full, "xfer doctor", new Map([["run-dir", "run"]]))).toEqual({});
    expect(profileDefaults(full, "xfer run", new Map([["run-dir", "run"]]))).not.toEqual({});
  });

  test.each<[string, Partial<Profile>, object]>([
    [
      "lines for sbatch",
      { sbatch_extras: "#SBATCH -q high\n#SBATCH --comment 'a b'" },
      { "sbatch-extras": "--qos=high '--comment=a b'", "pyxis-extra": "--qos=high" },
    ],
    ["nothing", {}, {}],
    ["an account alone", { account: "a" }, { "sbatch-extras": "--account=a", "pyxis-extra": "--account=a" }],
    [
      "no words for srun without pyxis",
      { runtime: "apptainer", image: "/i", partition: "p" },
      { runtime: "apptainer", "rclone-image": "/i", partition: "p" },
    ],
    ["no image where rclone is on PATH", { runtime: "host", image: "/i" }, { runtime: "host" }],
  ])("of %s", (_, fields, expected) => {
    expect(profileDefaults({ ...plain, ...fields }, "run")).toEqual(expected as Record<string, string>);
  });
});

test.each<[Record<string, string>, object]>([
  [{ runtime: "host" }, {}],
  [{ runtime: "apptainer" }, { "rclone-image": "/i" }],
  [{ executor: "local" }, {}],
  [{ executor: "local", runtime: "apptainer" }, { "rclone-image": "/i" }],
  [{ executor: "slurm" }, { "rclone-image": "/i", "pyxis-extra": "--partition=p" }],
])("an image and words for srun only where they can be used: %p", (given, expected) => {
  const profile = { ...plain, image: "/i", partition: "p" };
  const { partition: _, ...others } = profileDefaults(profile, "run", new Map(Object.entries(given)));
  expect(others).toEqual(expected as Record<string, string>);
});

test("where a value is from: the flag, else the profile, else the default", () => {
  const flags = { partition: "transfer", mem: "8G", runtime: undefined, "rclone-image": undefined };
  const given = new Map([
    ["mem", "4G"],
    ["runtime", "host"],
  ]);
  expect(explain(flags, given, { partition: "p", runtime: "pyxis" })).toEqual([
    { flag: "partition", value: "p", from: "profile" },
    { flag: "mem", value: "4G", from: "flag" },
    { flag: "runtime", value: "host", from: "flag" },
    { flag: "rclone-image", value: undefined, from: "default" },
  ]);
});
