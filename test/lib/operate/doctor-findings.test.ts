import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  destFinding,
  imageFinding,
  type Looked,
  nodeBinaryFinding,
  nodeConfFinding,
  nodeFolderFinding,
  probeFinding,
  rcloneFinding,
  sourceFinding,
  stepFinding,
} from "../../../lib/operate/doctor-findings.ts";
import type { StepFacts } from "../../../lib/operate/doctor-read.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const nothing: StepFacts = {
  ...{ node: undefined, glibc: undefined, date: undefined, conf: undefined, folder: undefined },
  ...{ binary: undefined, rclone: undefined, source: undefined, dest: undefined, probe: undefined },
};
const onNode = (facts: Partial<StepFacts>): Looked => ({ facts: { ...nothing, ...facts }, where: "on n1" });
const unasked: Looked = { facts: undefined, where: "here" };
const broken: Looked = { facts: { problem: "srun got no node: nodes are busy" }, where: "on a node" };

test("what no step was asked for, or what it could not start, is skipped; that it did not start is a failure", () => {
  const all = (looked: Looked) => [
    rcloneFinding(looked, "pyxis"),
    ...nodeConfFinding("/c", looked),
    ...nodeBinaryFinding("/b", looked),
    ...nodeFolderFinding("/r", looked),
    sourceFinding("src:", looked),
    destFinding({ root: "dst:", isBucket: true, createBucket: false }, looked),
  ];
  for (const one of all(unasked)) {
    expect(one).toMatchObject({ state: "skipped", text: expect.stringContaining("--through-srun") });
  }
  for (const one of all(broken)) expect(one.state).toBe("skipped");
  expect(stepFinding(broken, true)).toEqual([
    expect.objectContaining({ state: "failure", text: expect.stringContaining("nodes are busy") }),
  ]);
  expect(stepFinding(onNode({}), true)[0]?.state).toBe("ok");
  expect(stepFinding(unasked, false)).toEqual([]);
});

describe("what a compute node tells", () => {
  test.each<[string, ReturnType<typeof rcloneFinding> | undefined, string, string]>([
    [
      "rclone runs",
      rcloneFinding(onNode({ rclone: { version: "v1.65.0" } }), "pyxis"),
      "ok",
      "v1.65.0 on n1",
    ],
    [
      "rclone does not",
      rcloneFinding(onNode({ rclone: { problem: "execve(): rclone" } }), "pyxis"),
      "failure",
      "on n1: execve(): rclone",
    ],
    [
      "a private conf",
      nodeConfFinding("/c", onNode({ conf: { mode: "0600" } }))[0],
      "ok",
      "on n1: /c, mode 0600",
    ],
    ["an open conf", nodeConfFinding("/c", onNode({ conf: { mode: "0644" } }))[0], "failure", "(mode 0644)"],
    ["no conf", nodeConfFinding("/c", onNode({ conf: "missing" }))[0], "failure", "no such file"],
    ["a shut conf", nodeConfFinding("/c", onNode({ conf: "unreadable" }))[0], "failure", "cannot be read"],
    ["a run directory", nodeFolderFinding("/r", onNode({ folder: "writable" }))[0], "ok", "can be written"],
    ["none", nodeFolderFinding("/r", onNode({ folder: "missing" }))[0], "failure", "/r is not there"],
    ["a shut one", nodeFolderFinding("/r", onNode({ folder: "shut" }))[0], "failure", "/r cannot be written"],
    [
      "the binary runs",
      nodeBinaryFinding("/b", onNode({ binary: { version: "0.2.0" }, glibc: "2.17" }))[0],
      "ok",
      "/b runs (0.2.0, glibc 2.17)",
    ],
    [
      "the binary does not",
      nodeBinaryFinding("/b", onNode({ binary: { problem: "GLIBC_2.25 not found" }, glibc: "2.12" }))[0],
      "failure",
      "/b does not run (glibc 2.12): GLIBC_2.25 not found",
    ],
  ])("%s", (_, found, state, text) => {
    expect(found).toMatchObject({ state, text: expect.stringContaining(text) });
    expect(found?.mend !== undefined).toBe(state === "failure");
  });
});

describe("the places", () => {
  test.each([
    ["objects", "ok", "lists objects on n1"],
    ["empty", "failure", "there is no object"],
    ["absent", "failure", "no such bucket or folder"],
    [{ problem: "403 Forbidden" }, "failure", "403 Forbidden"],
  ] as const)("a source of %p: %s", (source, state, text) => {
    expect(sourceFinding("src:b", onNode({ source }))).toMatchObject({
      state,
      text: expect.stringContaining(text),
    });
  });

  test.each([
    ["objects", true, false, "ok"],
    ["empty", true, false, "ok"],
    ["absent", true, false, "failure"],
    ["absent", true, true, "ok"],
    ["absent", false, false, "ok"],
    [{ problem: "no route to host" }, true, true, "failure"],
  ] as const)(
    "a destination of %p, in a bucket %p, with --create-bucket %p: %s",
    (dest, isBucket, createBucket, state) => {
      expect(destFinding({ root: "dst:b", isBucket, createBucket }, onNode({ dest })).state).toBe(state);
    },
  );

  test("where rclone did not run, nothing is said of places", () => {
    const looked = onNode({ rclone: { problem: "no sh" } });
    expect(sourceFinding("src:b", looked)).toMatchObject({
      state: "skipped",
      text: "not looked at: rclone did not run on n1",
    });
  });
});

describe("a probe object", () => {
  const probe = { key: ".xfer-doctor-1", root: "dst:b", isBucket: true };
  const went = { problem: undefined, isLeft: false, versioning: "Unversioned" };
  test.each([
    ["went well", went, "ok", /^dst:b took, gave back and deleted \.xfer-doctor-1 on n1$/],
    ["keeps versions", { ...went, versioning: "Enabled" }, "ok", /versioning of the bucket is Enabled/],
    ["may keep versions", { ...went, versioning: undefined }, "ok", /where the bucket keeps versions/],
    [
      "was refused",
      { ...went, problem: "it could not be put: 403" },
      "failure",
      /^on n1: it could not be put: 403$/,
    ],
    [
      "may be left",
      { ...went, problem: "it could not be deleted: 403", isLeft: true },
      "failure",
      /; delete \.xfer-doctor-1 by hand$/,
    ],
  ] as const)("that %s", (_, tried, state, text) => {
    expect(probeFinding(probe, onNode({ probe: tried }))).toMatchObject({
      state,
      text: expect.stringMatching(text),
    });
  });

  test("that is not asked for, or had no place to go to, is skipped", () => {
    expect(probeFinding(undefined, onNode({}))).toMatchObject({
      text: expect.stringContaining("--write-probe"),
    });
    expect(probeFinding(probe, onNode({})).text).toBe(
      "not tried: the destination is not there, or cannot be used",
    );
    expect(
      probeFinding({ ...probe, isBucket: false }, onNode({ probe: { ...went, versioning: undefined } })).text,
    ).not.toContain("version");
  });
});

test("the image: a registry's is warned of, a file must be readable here, or a node must have run it", () => {
  using dir = temporaryDirectory();
  const file = join(dir.path, "rclone.sqsh");
  const stateOf = (image: string | undefined, looked: Looked = unasked) =>
    imageFinding({ runtime: "pyxis", image }, looked).map(({ state }) => state);
  expect(stateOf(undefined)).toEqual(["skipped"]);
  expect(stateOf("rclone/rclone")).toEqual(["warning"]);
  expect(stateOf(file)).toEqual(["failure"]);
  expect(stateOf(file, onNode({ rclone: { problem: "x" } }))).toEqual(["failure"]);
  expect(stateOf(file, onNode({ rclone: { version: "v1" } }))).toEqual(["warning"]);
  writeFileSync(file, "");
  expect(stateOf(file)).toEqual(["ok"]);
  expect(imageFinding({ runtime: "host", image: file }, unasked)).toEqual([]);
});
