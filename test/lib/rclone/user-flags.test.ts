import { describe, expect, test } from "bun:test";
import { filterVariables, refusedVariables } from "../../../lib/rclone/flag-variables.ts";
import { rcloneVariables, stepEnvironment } from "../../../lib/rclone/runtime.ts";
import {
  notShownText,
  rootedFilter,
  sortListingFlags,
  sortUserFlags,
} from "../../../lib/rclone/user-flags.ts";
import { splitWords } from "../../../lib/system/shell-words.ts";

const words = (text: string) => splitWords(text, "--rclone-flags");
const sort = (text: string, env: Record<string, string> = {}) => sortUserFlags(words(text), env);

describe("flags with which what is copied depends on the destination, in every spelling", () => {
  const depends = [
    "--ignore-existing",
    "--ignore-existing=true",
    "--ignore-existing=1",
    "--ignore-existing=T",
    "--update=true",
    "-u",
    "-u=true",
    "-uv",
    "-vu",
    "-Muv",
    "-c",
    "--checksum=1",
    "--size-only",
    "--immutable=TRUE",
    "--modify-window 1s",
    "--modify-window=1s",
    "--ignore-size",
    "--no-check-dest=false",
    "--ignore-times=f",
    "--no-update-modtime",
    "--refresh-times",
    "--checksum=false --checksum",
    "--max-age 1d",
    "--disable copy",
    "--fix-case",
    // Not known to this xfer.
    "--new-flag",
    "--new-flag=x",
    "--new-flag x --checkers 4",
    "-Z",
    "-vZ",
  ];
  for (const text of depends) {
    test(text, () => expect(sort(text)).toMatchObject({ comparesDestination: true }));
  }
  const neutral = [
    "",
    "--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20",
    "-v",
    "-vv",
    "--verbose=2",
    "--checksum=false",
    "-u=0",
    "--update --update=false",
    "--no-check-dest",
    "--ignore-times",
    "-I",
    "--bwlimit 10M --tpslimit 5 --timeout 1m --contimeout=10s --buffer-size 1Mi",
    "--s3-upload-concurrency 8 --s3-chunk-size=16Mi --s3-no-head --s3-force-path-style=false",
    "--metadata -L --order-by size --inplace --max-backlog -1",
    "--user-agent --checksum",
    "--bwlimit-file --update",
  ];
  for (const text of neutral) {
    test(`not: ${text}`, () =>
      expect(sort(text)).toMatchObject({ comparesDestination: false, comparesFor: [] }));
  }
});

test("variables count as the flags that they stand for, and a flag wins over its variable", () => {
  const rows: [string, Record<string, string>, string[]][] = [
    ["", { RCLONE_IGNORE_EXISTING: "true" }, ["RCLONE_IGNORE_EXISTING"]],
    ["", { RCLONE_UPDATE: "1", RCLONE_CHECKSUM: "t" }, ["RCLONE_CHECKSUM", "RCLONE_UPDATE"]],
    ["", { RCLONE_UPDATE: "false", RCLONE_BWLIMIT: "1M", RCLONE_S3_CHUNK_SIZE: "5M" }, []],
    ["--update=false", { RCLONE_UPDATE: "true" }, []],
    ["--update", { RCLONE_UPDATE: "false" }, ["--update"]],
    ["", { RCLONE_NO_CHECK_DEST: "false" }, ["RCLONE_NO_CHECK_DEST"]],
    ["", { RCLONE_FLAG_OF_TOMORROW: "x" }, ["RCLONE_FLAG_OF_TOMORROW"]],
    ["", { RCLONE_S3_OPTION_OF_TOMORROW: "x" }, ["RCLONE_S3_OPTION_OF_TOMORROW"]],
    ["", { RCLONE_S3_SECRET_ACCESS_KEY: "x", RCLONE_CACHE_DIR: "/x" }, []],
    ["", { RCLONE_CONFIG: "/c", RCLONE_CONFIG_PASS: "x", RCLONE_CONFIG_DST_ENDPOINT: "http://h" }, []],
    ["", { RCLONE_RC_ADDR: "h:1", RCLONE_METRICS_ADDR: "h:2", RCLONE_UMASK: "2", RCLONE_UID: "1" }, []],
    ["", { RCLONE_ALLOW_OTHER: "true", RCLONE_ALLOW_ROOT: "true", RCLONE_DIR_CACHE_TIME: "1m" }, []],
    ["", { RCLONE_POLL_INTERVAL: "1m", RCLONE_GID: "1" }, []],
    ["", { RCLONE_UMASK_OF_TOMORROW: "2" }, ["RCLONE_UMASK_OF_TOMORROW"]],
    ["", { RCLONE_VFS_CACHE_MODE: "full", RCLONE_DRY_RUN: "true", UPDATE: "true" }, []],
  ];
  expect(rows.map(([text, env]) => sort(text, env).comparesFor)).toEqual(rows.map(([, , why]) => why));
  expect(sort("", { RCLONE_RETRIES: "7", RCLONE_TRANSFERS: "9" })).toMatchObject({
    argv: [],
    passes: 7,
    transfers: 9,
  });
  expect(sort("--retries 2", { RCLONE_RETRIES: "7" }).passes).toBe(2);
});

describe("flags that the account cannot stand, in every spelling", () => {
  const refused = [
    "--dry-run",
    "--dry-run=true",
    "--dry-run=1",
    "-n",
    "-n=true",
    "-nv",
    "-vn",
    "-uvn",
    "-Zn",
    "--files-from x",
    "--files-from=x",
    "--files-from0 x",
    "-i",
    "--interactive=t",
    "--log-file=x",
    "--log-file x",
    "--syslog",
    "--config x",
    "--suffix .bak",
    "--name-transform x",
    "-h",
    "--help",
    // A flag that is not known hides none behind it.
    "--new-flag --dry-run",
    "--new-flag -n",
    "--checksum --syslog=1",
    // One that only shows something hides none behind it.
    "-Pn",
    "--stats --dry-run --dry-run",
  ];
  for (const text of refused) {
    test(text, () => expect(() => sort(text)).toThrow(/^--rclone-flags: --?[\w-]+ cannot be used here: /));
  }
  test("switched off they are dropped: that is what rclone does without them", () => {
    expect(sort("--dry-run=false -n=0 -vi=f --syslog=false").argv).toEqual(["-v"]);
  });
  for (const text of [
    "x",
    "--fast-list true",
    "--",
    "-",
    "--checksum=maybe",
    "-c=2",
    "--bwlimit",
    "---x",
    "--=x",
  ]) {
    test(`no flag: ${text}`, () => expect(() => sort(text)).toThrow(/^--rclone-flags: /));
  }
});

describe("flags that change only what rclone shows are not handed on, in every spelling", () => {
  const rows: [string, string[], string[]][] = [
    [
      "--transfers 48 --checkers 96 --fast-list --stats 30s",
      ["--checkers", "96", "--fast-list"],
      ["--stats"],
    ],
    ["--stats=30s --checkers=4", ["--checkers=4"], ["--stats"]],
    ["--progress", [], ["--progress"]],
    ["--progress=true -P", [], ["--progress", "-P"]],
    ["-P=1", [], ["-P"]],
    ["-uvP", ["-u", "-v"], ["-P"]],
    ["-Pq", [], ["-P", "-q"]],
    ["--progress=false -P=f --quiet=0", [], []],
    ["-P -P --stats 1s --stats 2s", [], ["-P", "--stats"]],
    [
      "--stats-one-line --stats-one-line-date --stats-one-line-date-format x -c",
      ["-c"],
      ["--stats-one-line", "--stats-one-line-date", "--stats-one-line-date-format"],
    ],
    [
      "--stats-unit bits --stats-file-name-length=0 --stats-log-level NOTICE",
      [],
      ["--stats-unit", "--stats-file-name-length", "--stats-log-level"],
    ],
    ["--stats-of-tomorrow 5 --checkers 4", ["--checkers", "4"], ["--stats-of-tomorrow"]],
    [
      "--log-level ERROR --log-format=date --log-systemd --use-json-log",
      [],
      ["--log-level", "--log-format", "--log-systemd", "--use-json-log"],
    ],
    ["-vv --verbose=1", ["-v", "-v", "--verbose=1"], []],
    ["--user-agent --stats", ["--user-agent", "--stats"], []],
  ];
  test.each(rows)("%s", (text, argv, notShown) => {
    expect(sort(text)).toMatchObject({
      argv,
      notShown,
      comparesDestination: sort(argv.join(" ")).comparesDestination,
    });
  });
  test("in a listing", () => {
    expect(sortListingFlags(words("-PL --stats=30s --max-size 1G --use-json-log=false"))).toEqual({
      argv: ["-L", "--max-size", "1G"],
      notShown: ["-P", "--stats"],
    });
  });
  test("they are named in one line", () => {
    expect(notShownText("--rclone-flags", ["--stats", "-P"])).toMatch(
      /^--rclone-flags: --stats, -P not given/,
    );
    expect(notShownText("--rclone-flags", [])).toBeUndefined();
  });
});

test("of a flag that is given twice, the later one counts", () => {
  expect(
    sort("--transfers 32 --checkers 4 --transfers=2 --checkers 8 --retries 10 --retries 1"),
  ).toMatchObject({
    transfers: 2,
    passes: 1,
    argv: ["--checkers", "4", "--checkers", "8"],
  });
  expect(sort("--transfers 4 --checksum --checksum=false").comparesDestination).toBe(false);
  expect(sort("--checkers 4 --checkers 8").given.get("checkers")).toBe("8");
});

test("what goes to rclone says the same as what came, without what the agent takes", () => {
  const rows: [string, string[]][] = [
    ["-uv --retries 3 --transfers=8 -c", ["-u", "-v", "-c"]],
    ["-vf- *.tmp", ["-v", "-f-", "*.tmp"]],
    ["--exclude '- x' -f '- y'", ["--exclude", "- x", "-f", "- y"]],
    ["--new x --new=y --also", ["--new", "x", "--new=y", "--also"]],
    ["--constructor x --toString", ["--constructor", "x", "--toString"]],
  ];
  expect(rows.filter(([text]) => !text.startsWith("-vf")).map(([text]) => sort(text).argv)).toEqual(
    rows.filter(([text]) => !text.startsWith("-vf")).map(([, argv]) => argv),
  );
  expect(sortUserFlags(["-vf- *.tmp"]).argv).toEqual(["-v", "-f- *.tmp"]);
});

test("variables that stand for refused flags do not reach a child", () => {
  const env = {
    RCLONE_DRY_RUN: "true",
    RCLONE_LOG_FILE: "/x",
    RCLONE_DUMP: "auth",
    RCLONE_SERVER_SIDE_ACROSS_CONFIGS: "true",
    RCLONE_CHECKERS: "4",
    RCLONE_CONFIG: "/c",
    HOME: "/h",
  };
  const refused = ["RCLONE_DRY_RUN", "RCLONE_DUMP", "RCLONE_LOG_FILE", "RCLONE_SERVER_SIDE_ACROSS_CONFIGS"];
  expect([...refusedVariables(env).keys()].sort()).toEqual(refused);
  for (const runtime of ["host", "pyxis", "apptainer"] as const) {
    const step = stepEnvironment(runtime, env);
    expect(Object.keys(step).filter((name) => refused.some((one) => name.endsWith(one)))).toEqual([]);
    expect(step).toMatchObject({ RCLONE_CHECKERS: "4", RCLONE_CONFIG: "/c", HOME: "/h" });
  }
  expect(rcloneVariables(env).sort()).toEqual(["RCLONE_CHECKERS", "RCLONE_CONFIG"]);
});

test("flags of a listing: those that change what it prints are refused, filters belong to one root", () => {
  for (const text of ["--stat", "--syslog", "-Pq --log-file x", "--dump auth", "--s3-sse-customer-key x"]) {
    expect(() => sortListingFlags(words(text)), text).toThrow(/^--extra-lsjson-flags: /);
  }
  sortListingFlags(words("-L --s3-list-chunk 500 --exclude '- x' --max-size 1G -R --hash --stat=false"));
  const rows: [string, Record<string, string>, string | undefined][] = [
    ["--exclude /a/**", {}, "--exclude"],
    ["-f '- /a'", {}, "-f"],
    ["-Lf '- /a'", {}, "-f"],
    ["--hash-filter 1/2", {}, "--hash-filter"],
    ["--max-depth=2", {}, "--max-depth"],
    ["--user-agent --exclude", {}, undefined],
    ["--max-size 1G", { RCLONE_MIN_SIZE: "1" }, undefined],
    ["", { RCLONE_FILTER_FROM: "x" }, "RCLONE_FILTER_FROM"],
  ];
  expect(rows.map(([text, env]) => rootedFilter(words(text), env))).toEqual(rows.map(([, , found]) => found));
  const env = {
    RCLONE_MIN_SIZE: "1",
    RCLONE_EXCLUDE: "x",
    RCLONE_METADATA_FILTER: "- x",
    RCLONE_BWLIMIT: "1",
  };
  expect(filterVariables(env)).toEqual(["RCLONE_MIN_SIZE", "RCLONE_EXCLUDE", "RCLONE_METADATA_FILTER"]);
});
