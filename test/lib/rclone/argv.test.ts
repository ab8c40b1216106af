import { expect, test } from "bun:test";
import { copyArgv, directoryRoot, type ListOptions, lsjsonArgv } from "../../../lib/rclone/argv.ts";

const list: ListOptions = {
  root: "src:data",
  configPath: undefined,
  recursive: false,
  filesOnly: false,
  fastList: false,
  modtime: "metadata",
  hash: false,
  verbosity: 0,
  extraFlags: [],
};

test("a listing asks for nothing that costs a request for each object", () => {
  expect(lsjsonArgv(list)).toEqual([
    "rclone",
    "lsjson",
    "--no-mimetype",
    "--ask-password=false",
    "src:data/",
  ]);
  const table: [Partial<ListOptions>, string[]][] = [
    [{ filesOnly: true }, ["--files-only"]],
    [{ recursive: true }, ["--recursive"]],
    [{ fastList: true }, ["--fast-list"]],
    [{ modtime: "server" }, ["--use-server-modtime"]],
    [{ modtime: "none" }, ["--no-modtime"]],
    [{ hash: true }, ["--hash", "--hash-type", "md5"]],
    [{ verbosity: 1 }, ["-v"]],
    [{ verbosity: 2 }, ["-vv"]],
    [{ configPath: "/c" }, ["--config", "/c"]],
    [{ extraFlags: ["--max-age", "1d"] }, ["--max-age", "1d"]],
  ];
  const base = new Set(lsjsonArgv(list));
  for (const [change, words] of table) {
    const argv = lsjsonArgv({ ...list, ...change });
    expect(argv.filter((word) => !base.has(word))).toEqual(words);
    expect(argv.at(-1)).toBe("src:data/");
  }
});

const copy = {
  sourceRoot: "src:data",
  destRoot: "dst:copy",
  filesFrom: "/keys",
  configPath: "/c",
  planFlags: ["--no-traverse"],
  transfers: 7,
  userFlags: ["--transfers", "3", "--retries", "9"],
  statsSeconds: 10,
};

/** The value that rclone takes of a flag that is given more than once: the last. */
const taken = (argv: readonly string[], flag: string) => argv[argv.lastIndexOf(flag) + 1];

test("a copy takes the user's flags last, but for the number of tries and the log", () => {
  const argv = copyArgv(copy);
  expect(argv.slice(0, 4)).toEqual(["rclone", "copy", "src:data/", "dst:copy/"]);
  expect(taken(argv, "--transfers")).toBe("3");
  expect(taken(argv, "--retries")).toBe("1");
  expect(taken(argv, "--files-from-raw")).toBe("/keys");
  expect(taken(argv, "--config")).toBe("/c");
  expect(taken(argv, "--stats")).toBe("10s");
  expect(taken(argv, "--stats-log-level")).toBe("NOTICE");
  expect(argv).toContain("--use-json-log");
  expect(argv).toContain("--ask-password=false");
  expect(argv.indexOf("--no-traverse")).toBeLessThan(argv.indexOf("9"));
  expect(argv.filter((word) => /^-v+$/.test(word))).toEqual(["-vv"]);
  expect(taken(copyArgv({ ...copy, userFlags: [] }), "--transfers")).toBe("7");
  expect(copyArgv({ ...copy, configPath: undefined })).not.toContain("--config");
});

test("a remote's root ends in a slash when it has a path, a POSIX root stays as it is", () => {
  const table: [string, string][] = [
    ["src:bucket", "src:bucket/"],
    ["src:bucket/pre fix", "src:bucket/pre fix/"],
    ["src:bucket/pre/", "src:bucket/pre/"],
    ["src:bucket/x:", "src:bucket/x:/"],
    ["src:", "src:"],
    [":s3,env_auth:bucket/a", ":s3,env_auth:bucket/a/"],
    [":s3,env_auth:", ":s3,env_auth:"],
    [":sftp,host=h,key_file=/k:", ":sftp,host=h,key_file=/k:"],
    ["/data/set", "/data/set"],
    ["./a:b", "./a:b"],
    ["/data/a:b", "/data/a:b"],
  ];
  for (const [root, expected] of table) expect([root, directoryRoot(root)]).toEqual([root, expected]);
});
