import { describe, expect, test } from "bun:test";
import { type CopyFacts, copyPlan } from "../../../lib/rclone/copy-plan.ts";
import { parseRemotes } from "../../../lib/rclone/rclone-conf.ts";
import { rootKind, serverSide } from "../../../lib/rclone/root.ts";
import { rootProblem } from "../../../lib/rclone/root-check.ts";
import { sortUserFlags } from "../../../lib/rclone/user-flags.ts";
import { splitWords } from "../../../lib/system/shell-words.ts";

const sort = (text: string) => sortUserFlags(splitWords(text, "--rclone-flags"));

test("the default flags: --retries becomes passes, the rest goes to rclone", () => {
  expect(sort("--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20")).toMatchObject({
    argv: ["--checkers", "64", "--fast-list", "--low-level-retries", "20"],
    passes: 10,
    passWaitSeconds: 1,
    transfers: 32,
    multiThreadCutoffBytes: undefined,
    comparesDestination: false,
  });
  expect(sort("")).toMatchObject({ argv: [], passes: 3, transfers: 4 });
  expect(sort("--multi-thread-cutoff=1G --transfers=7")).toMatchObject({
    argv: ["--multi-thread-cutoff=1G"],
    multiThreadCutoffBytes: 2 ** 30,
    transfers: 7,
  });
  expect(sort("--multi-thread-streams 0")).toMatchObject({
    argv: ["--multi-thread-streams", "0"],
    multiThreadCutoffBytes: 0,
  });
  expect(sort("--retries=0 --retries-sleep=1m30s --checksum")).toMatchObject({
    passes: 1,
    passWaitSeconds: 90,
    comparesDestination: true,
  });
});

describe("flags that the account cannot stand are refused with the reason", () => {
  const refused = [
    ...[
      "--files-from x",
      "--files-from-raw=x",
      "--dry-run",
      "-n",
      "-vn",
      "--log-file=x",
      "--syslog",
      "--retries x",
    ],
    ...["--max-transfer 1G", "--config x", "--s3-secret-access-key x", "--s3-access-key-id=x", "--retries"],
  ];
  for (const text of refused) test(text, () => expect(() => sort(text)).toThrow(/^--rclone-flags: --?\w/));
});

test("a secret is not repeated in the error", () => {
  expect(() => sort("--s3-secret-access-key hunter2")).toThrow(/^(?!.*hunter2)/);
  expect(rootProblem(":s3,secret_access_key=hunter2:b")).not.toContain("hunter2");
});

test("which roots may be used", () => {
  const fine = [
    "/a",
    "a b",
    "s3:b/p",
    "my-remote:b",
    ":s3,env_auth,region=x:b",
    ":local:/x",
    "r:a,b:c",
    "/a:b",
    "./a:b",
  ];
  expect(fine.map((root) => [root, rootProblem(root)])).toEqual(fine.map((root) => [root, undefined]));
  const bad = [
    "",
    "a\nb",
    ":s3,access_key_id=A:b",
    "r,secret_access_key='x:y':b",
    ':webdav,pass="a,b":c',
    ":http,url='http://u:p@h/':",
  ];
  expect(bad.filter((root) => rootProblem(root) === undefined)).toEqual([]);
});

test("the kind of a root, and whether one endpoint holds both", () => {
  const remotes = parseRemotes(
    "# c\n[a]\ntype = s3\nprovider = Other\nendpoint = http://x\naccess_key_id = k\n\n[b c]\ntype=crypt\nremote = a:x\n" +
      "[d]\n type = local\n[a2]\ntype = s3\nprovider = Other\nendpoint = http://x\naccess_key_id = k\n" +
      "[a3]\ntype = s3\nprovider = Other\nendpoint = http://y\naccess_key_id = k\n",
  );
  const kinds: [string, string][] = [
    ["a:x", "s3"],
    ["b c:x", "other"],
    ["d:x", "other"],
    ["e:x", "other"],
    ["/x", "posix"],
    [":s3,env_auth:x", "s3"],
    [":sftp,host=h:x", "other"],
  ];
  expect(kinds.map(([root]) => [root, rootKind(root, remotes, {})])).toEqual(kinds);
  expect(rootKind("e:x", remotes, { RCLONE_CONFIG_E_TYPE: "s3" })).toBe("s3");
  const sides: [string, string, string][] = [
    ["a:x", "a:y", "same-remote"],
    ["a:x", "a2:y", "same-endpoint"],
    ["a:x", "a3:y", "apart"],
    ["a:x", "b c:y", "apart"],
    ["/x", "/y", "apart"],
    ["a:x", "a,region=r:y", "apart"],
    [":s3,env_auth:x", ":s3,env_auth:y", "same-remote"],
    [":s3,env_auth:x", ":s3:y", "apart"],
  ];
  expect(
    sides.map(([source, dest]) => [
      source,
      dest,
      serverSide(source, dest, { remotes, env: {}, flags: new Map() }),
    ]),
  ).toEqual(sides);
});

describe("the copy plan", () => {
  const plain: CopyFacts = {
    source: "s3",
    dest: "s3",
    serverSide: "apart",
    largestBytes: 1e6,
    version: [1, 60],
    multiThreadCutoffBytes: undefined,
    comparesDestination: false,
    mayBeThere: false,
    metadata: "off",
    metadataSaid: undefined,
    serverCopyCutoffBytes: undefined,
  };
  const blind = ["--no-traverse", "--no-check-dest"];
  const toS3 = ["--s3-no-head", "--s3-no-check-bucket"];
  const twoRequests = [...blind, ...toS3, "--s3-no-head-object"];
  const large = 300 * 2 ** 20;
  const rows: [string, Partial<CopyFacts>, string[]][] = [
    ["s3 to s3: two requests", {}, twoRequests],
    ["large, but rclone 1.60 uploads in one stream", { largestBytes: large }, twoRequests],
    ["large, rclone 1.64", { largestBytes: large, version: [1, 64] }, [...blind, ...toS3]],
    ["large, rclone unknown", { largestBytes: large, version: undefined }, [...blind, ...toS3]],
    [
      "large, the user's cutoff is higher",
      { largestBytes: large, version: [1, 64], multiThreadCutoffBytes: 2 ** 30 },
      twoRequests,
    ],
    [
      "large, the user wants one stream",
      { largestBytes: large, version: [1, 64], multiThreadCutoffBytes: 0 },
      twoRequests,
    ],
    [
      "as large as the cutoff",
      { largestBytes: 2 ** 20, version: [1, 64], multiThreadCutoffBytes: 2 ** 20 },
      [...blind, ...toS3],
    ],
    [
      "just under the cutoff",
      { largestBytes: 2 ** 20 - 1, version: [1, 64], multiThreadCutoffBytes: 2 ** 20 },
      twoRequests,
    ],
    [
      "one remote, as large as a copy in parts",
      { serverSide: "same-remote", largestBytes: 4 * 2 ** 30 },
      [...blind, ...toS3],
    ],
    ["one remote, just under it", { serverSide: "same-remote", largestBytes: 4 * 2 ** 30 - 1 }, twoRequests],
    ["s3 to posix", { dest: "posix" }, [...blind, "--s3-no-head-object"]],
    ["s3 to posix, large", { dest: "posix", largestBytes: large }, blind],
    ["posix to s3", { source: "posix" }, [...blind, ...toS3]],
    ["unknown to s3", { source: "other" }, [...blind, ...toS3]],
    ["s3 to unknown", { dest: "other" }, [...blind, "--s3-no-check-bucket", "--s3-no-head-object"]],
    ["unknown to unknown", { source: "other", dest: "other" }, [...blind, "--s3-no-check-bucket"]],
    ["one remote", { serverSide: "same-remote" }, twoRequests],
    [
      "one endpoint",
      { serverSide: "same-endpoint" },
      [...blind, "--server-side-across-configs", ...toS3, "--s3-no-head-object"],
    ],
    ["one remote, in parts", { serverSide: "same-remote", largestBytes: 5 * 2 ** 30 }, [...blind, ...toS3]],
    ["the user compares", { comparesDestination: true }, ["--no-traverse", ...toS3]],
    ["metadata", { metadata: "auto" }, [...twoRequests, "--metadata"]],
    ["metadata, to a path", { metadata: "auto", dest: "posix" }, [...blind, "--s3-no-head-object"]],
    [
      "metadata to a path, as the user says",
      { metadata: "on", dest: "posix" },
      [...blind, "--s3-no-head-object", "--metadata"],
    ],
    ["metadata, said by the user's own flags", { metadata: "auto", metadataSaid: true }, twoRequests],
    ["metadata, rclone 1.58", { metadata: "auto", version: [1, 58] }, twoRequests],
    ["metadata, the server copies", { metadata: "auto", serverSide: "same-remote" }, twoRequests],
    [
      "metadata, the server copies in parts, as the user says",
      { metadata: "auto", serverSide: "same-remote", serverCopyCutoffBytes: 1e6 },
      [...twoRequests, "--metadata"],
    ],
    [
      "metadata, may be there",
      { metadata: "auto", mayBeThere: true },
      ["--no-traverse", ...toS3, "--metadata", "--no-update-modtime"],
    ],
    [
      "metadata by the user's own flag, may be there",
      { metadata: "auto", metadataSaid: true, mayBeThere: true },
      ["--no-traverse", ...toS3, "--no-update-modtime"],
    ],
    ["may be there", { mayBeThere: true }, ["--no-traverse", ...toS3]],
  ];
  for (const [what, change, flags] of rows) {
    test(what, () => {
      const plan = copyPlan({ ...plain, ...change });
      expect(plan.flags).toEqual(flags);
      expect(plan.reason).not.toBe("");
    });
  }

  test("files are written in place where temporary names cost a HEAD or can collide", () => {
    const inPlace = (change: Partial<CopyFacts>) => copyPlan({ ...plain, ...change }).variables;
    const always = { RCLONE_INPLACE: "true" };
    expect(inPlace({})).toEqual({});
    expect(inPlace({ source: "posix", version: [1, 70] })).toEqual({});
    for (const version of [[1, 60], [1, 70], [1, 76], undefined] as const) {
      expect(inPlace({ dest: "posix", version })).toEqual(always);
      expect(inPlace({ dest: "other", version })).toMatchObject(always);
    }
    // No HEAD to save: a file system's own names, or objects whose size rclone must know.
    const saveless: Partial<CopyFacts>[] = [
      { source: "posix" },
      { largestBytes: large },
      { comparesDestination: true },
    ];
    for (const change of saveless) {
      for (const version of [
        [1, 67],
        [1, 72],
        [2, 70],
      ] as const) {
        expect(inPlace({ dest: "posix", version, ...change })).toEqual({});
      }
      for (const version of [
        [1, 68],
        [1, 71],
      ] as const) {
        expect(inPlace({ dest: "posix", version, ...change })).toEqual(always);
      }
    }
    // Of an rclone that is not known: what it leaves half written must not be taken for an object that is there.
    const unknown: Partial<CopyFacts> = { source: "posix", dest: "posix", version: undefined };
    expect(inPlace(unknown)).toEqual(always);
    expect(inPlace({ ...unknown, comparesDestination: true })).toEqual({});
  });
});

test("sizes, durations and counts are read as rclone reads them, whole", () => {
  const cutoff = (text: string) => sort(`--multi-thread-cutoff ${text}`).multiThreadCutoffBytes;
  expect(["off", "1", "2b", "3k", "1.5M", "2Gi", "1TiB", "7p", "x", "3kx", "x3k", "k"].map(cutoff)).toEqual([
    ...[0, 1024, 2, 3 * 1024, 1.5 * 2 ** 20, 2 * 2 ** 30, 2 ** 40, 7 * 2 ** 50],
    ...[undefined, undefined, undefined, undefined],
  ]);
  const streams = (text: string) =>
    sort(`--multi-thread-cutoff 1M --multi-thread-streams ${text}`).multiThreadCutoffBytes;
  expect(["0", "1", "2", "4"].map(streams)).toEqual([0, 0, 2 ** 20, 2 ** 20]);
  const sleep = (text: string) => sort(`--retries-sleep ${text}`).passWaitSeconds;
  expect(["0", "7", "1.5", "500ms", "10s", "2m", "1h", "1h2m3s", "1m500ms"].map(sleep)).toEqual([
    ...[0, 7, 1.5, 0.5, 10, 120, 3600, 3723, 60.5],
  ]);
  for (const bad of ["x", "10sx", "x10s", "10 s", "x10", "10d", "s", "1h2"]) {
    expect(() => sort(`--retries-sleep '${bad}'`)).toThrow("must be a duration such as 10s");
  }
  expect(["0", "1", "2", "9999"].map((text) => sort(`--transfers ${text}`).transfers)).toEqual([
    1, 1, 2, 9999,
  ]);
  for (const bad of ["x", "10000", "4x", "x4", "-1", "1.5"]) {
    expect(() => sort(`--transfers=${bad}`)).toThrow("must be a whole number from 0 to 9999");
  }
});
