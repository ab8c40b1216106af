import { describe, expect, test } from "bun:test";
import { copyPlan } from "../../../lib/rclone/copy-plan.ts";
import { sortUserFlags } from "../../../lib/rclone/flags.ts";
import { parseRemoteTypes, rootKind, rootProblem } from "../../../lib/rclone/remote.ts";
import { splitWords } from "../../../lib/system/shell-words.ts";

const sort = (text: string) => sortUserFlags(splitWords(text, "--rclone-flags"));

test("the default flags: --retries becomes passes, the rest goes to rclone", () => {
  expect(sort("--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20")).toEqual({
    argv: ["--transfers", "32", "--checkers", "64", "--fast-list", "--low-level-retries", "20"],
    passes: 10,
    passWaitSeconds: 1,
    comparesDestination: false,
  });
  expect(sort("")).toMatchObject({ argv: [], passes: 3 });
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
      "--stats 1s",
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

test("the kind of a root", () => {
  const types = parseRemoteTypes(
    "# c\n[a]\ntype = s3\nprovider = Other\n\n[b c]\ntype=crypt\nremote = a:x\n[d]\n type = local\n",
  );
  const kind = (root: string, env = {}) => rootKind(root, types, env);
  expect([
    kind("a:x"),
    kind("b c:x"),
    kind("d:x"),
    kind("e:x"),
    kind("/x"),
    kind(":s3,env_auth:x"),
    kind(":sftp,host=h:x"),
  ]).toEqual([...["s3", "other", "other", "other", "posix", "s3", "other"]] as ReturnType<typeof kind>[]);
  expect(kind("e:x", { RCLONE_CONFIG_E_TYPE: "s3" })).toBe("s3");
});

test("the copy plan", () => {
  const small = { largestBytes: 1e6, comparesDestination: false };
  const base = ["--no-traverse", "--no-check-dest"];
  expect(copyPlan({ source: "s3", dest: "s3", ...small }).flags).toEqual([
    ...base,
    "--s3-no-head",
    "--s3-no-head-object",
  ]);
  expect(copyPlan({ source: "s3", dest: "s3", ...small, largestBytes: 2 ** 28 }).flags).toEqual([
    ...base,
    "--s3-no-head",
  ]);
  expect(copyPlan({ source: "s3", dest: "posix", ...small }).flags).toEqual([...base, "--s3-no-head-object"]);
  expect(copyPlan({ source: "posix", dest: "s3", ...small }).flags).toEqual([...base, "--s3-no-head"]);
  expect(copyPlan({ source: "other", dest: "other", ...small }).flags).toEqual(base);
  expect(copyPlan({ source: "s3", dest: "s3", ...small, comparesDestination: true }).flags).toEqual([
    "--no-traverse",
    "--s3-no-head",
  ]);
});
