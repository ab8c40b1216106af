import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  changedProfile,
  flagsOfHome,
  hasProfile,
  listProfiles,
  mountedPath,
  type Profile,
  type ProfileChanges,
  parseMount,
  profileNames,
  profilesFolder,
  readProfile,
  removeProfile,
  withHome,
  writeProfile,
} from "../../../lib/cluster/profile.ts";

const dir = mkdtempSync(join(tmpdir(), "xfer-profile-"));
afterAll(() => rmSync(dir, { recursive: true }));

const plain: Profile = {
  schema: "xfer.cluster.v1",
  name: "weka",
  host: "me@login",
  run_root: "~/xfer-runs",
  mounts: [],
};

test.each([
  ["src:a=/x", { root: "src:a", path: "/x" }],
  ["src:=~/x y/", { root: "src:", path: "~/x y" }],
  ["src:a/b/=/", { root: "src:a/b", path: "/" }],
  ["s3,env_auth=true:a=/x=y", { root: "s3,env_auth=true:a", path: "/x=y" }],
  ["src:a", undefined],
  ["src:a=x", undefined],
  ["a=/x", undefined],
  ["=/x", undefined],
])("--mount %s is %p", (text, expected) => {
  expect(parseMount(text)).toEqual(expected);
});

describe("a root that the cluster sees as files", () => {
  const mounts = [
    { root: "src:", path: "/all" },
    { root: "src:a", path: "/a" },
    { root: "src:a/deep", path: "/" },
  ];
  test.each([
    ["src:a", "/a"],
    ["src:a/b c", "/a/b c"],
    ["src:a/deep/x", "/x"],
    ["src:ab", "/all/ab"],
    ["src:", "/all"],
    ["dst:a", undefined],
    ["/a", undefined],
  ])("%s is at %p", (root, path) => {
    expect(mountedPath({ ...plain, mounts }, root)).toBe(path);
  });
});

describe("fields that are changed", () => {
  const full = { ...plain, partition: "p", account: "a", mounts: [{ root: "src:", path: "/x" }] };
  test.each<[string, ProfileChanges, object]>([
    ["none", {}, full],
    ["one", { partition: "q" }, { ...full, partition: "q" }],
    ["one to nothing", { account: "" }, { ...plain, partition: "p", mounts: full.mounts }],
    ["the run root to its default", { run_root: "" }, full],
    [
      "mounts",
      { mounts: ["a:=/a", "b:=/b"] },
      { ...full, mounts: [parseMount("a:=/a"), parseMount("b:=/b")] },
    ],
    ["mounts to none", { mounts: [""] }, { ...full, mounts: [] }],
  ])("%s", (_, changes, expected) => {
    expect<object>(changedProfile(full, changes)).toEqual(expected);
  });

  test.each<[ProfileChanges, string]>([
    [{ host: "" }, "--host: a cluster has to have one"],
    [{ mounts: ["a"] }, '--mount: "a" is no mount: write REMOTE:BUCKET=/path'],
  ])("%p are refused", (changes, message) => {
    expect(() => changedProfile(full, changes)).toThrow(message);
  });
});

describe("a profile that is written", () => {
  test.each<[object, string]>([
    [{ host: "-oProxyCommand=x" }, "--host: must be a host that ssh knows"],
    [{ host: "a b" }, "--host: must be a host that ssh knows"],
    [{ run_root: "runs" }, "--run-root: must be an absolute path"],
    [{ run_root: "/a\nb" }, "--run-root: must be an absolute path"],
    [{ rclone_config: "x" }, "--rclone-config: must be an absolute path"],
    [{ partition: "a b" }, '--partition: "a b" names no partition'],
    [{ runtime: "docker" }, "--runtime: must be one of pyxis, apptainer, host"],
    [{ account: "-x" }, "--account: must be the name of an account"],
    [{ image: "docker://me:Secret@host/x" }, "--image: carries a credential"],
    [{ sbatch_extras: "--array=1-3" }, "--sbatch-extras: --array cannot be used here"],
    [{ sbatch_extras: "--export=A=Secret" }, "--sbatch-extras: --export sets a variable"],
    [{ mounts: [{ root: "a:", path: "x" }] }, "--mount: must be an absolute path"],
    [{ name: "../x" }, "the cluster's name: must be letters"],
  ])("may not hold %p", (fields, message) => {
    const write = () => writeProfile(dir, { ...plain, ...fields });
    expect(write).toThrow(message);
    expect(write).not.toThrow("Secret");
    expect(profileNames(dir)).toEqual([]);
  });

  test("is read again, is for this user alone, and is removed", () => {
    const folder = join(dir, "kept");
    writeProfile(folder, plain);
    writeProfile(folder, { ...plain, name: "a", partition: "p" });
    expect(readProfile(folder, "weka")).toEqual(plain);
    expect(statSync(join(folder, "weka.json")).mode & 0o777).toBe(0o600);
    expect(listProfiles(folder)).toMatchObject({ profiles: [{ name: "a" }, { name: "weka" }], problems: [] });
    removeProfile(folder, "a");
    expect([hasProfile(folder, "a"), hasProfile(folder, "weka")]).toEqual([false, true]);
    expect(() => removeProfile(folder, "a")).toThrow("no cluster is called a: there are weka");
    expect(() => readProfile(folder, "../weka")).toThrow('"../weka" is no name of a cluster');
  });

  test("that is torn, or of a later xfer, is told with the mend, and the others are listed", () => {
    const folder = join(dir, "torn");
    writeProfile(folder, plain);
    writeFileSync(join(folder, "torn.json"), '{"schema":');
    writeFileSync(join(folder, "new.json"), JSON.stringify({ ...plain, name: "new", more: 1 }));
    expect(() => readProfile(folder, "torn")).toThrow("is torn or is not JSON: mend the file, or remove it");
    const { profiles, problems } = listProfiles(folder);
    expect(profiles).toEqual([plain]);
    expect(problems).toEqual([expect.stringContaining("the field more"), expect.stringContaining("torn")]);
    removeProfile(folder, "torn");
    expect(profileNames(folder)).toEqual(["new", "weka"]);
  });
});

test("profiles are in XDG_CONFIG_HOME where it is absolute", () => {
  mkdirSync(dir, { recursive: true });
  expect(profilesFolder({ XDG_CONFIG_HOME: "/c" })).toBe("/c/xfer/clusters");
  expect(profilesFolder({ XDG_CONFIG_HOME: "c" })).toEndWith("/.config/xfer/clusters");
});

test.each<[Partial<Profile>, string[]]>([
  [
    { run_root: "/home/me/runs", image: "/home/me/i", rclone_config: "/home/me2/r" },
    ["--run-root", "--image"],
  ],
  [{ run_root: "/home/me/runs", host: "local" }, []],
  [{ run_root: "~/runs" }, []],
])("of %p the home of this machine is in %p", (fields, flags) => {
  expect(flagsOfHome({ ...plain, ...fields }, "/home/me")).toEqual(flags);
});

test("a leading ~ is the home there, in every path", () => {
  const fields = {
    run_root: "~",
    rclone_config: "~/r.conf",
    image: "~/i.sqsh",
    mounts: [{ root: "a:", path: "~/m" }],
  };
  expect(withHome({ ...plain, ...fields }, "/h/me")).toMatchObject({
    ...{ run_root: "/h/me", rclone_config: "/h/me/r.conf", image: "/h/me/i.sqsh" },
    mounts: [{ root: "a:", path: "/h/me/m" }],
  });
  const others = { run_root: "/a~b", image: "docker://~x" };
  expect(withHome({ ...plain, ...others }, "/h/me")).toEqual({ ...plain, ...others });
});
