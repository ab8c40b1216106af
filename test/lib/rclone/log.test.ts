import { describe, expect, test } from "bun:test";
import { classifyMessage } from "../../../lib/rclone/failure-class.ts";
import { type LogEvent, parseLogLine } from "../../../lib/rclone/log.ts";

/** Lines that rclone 1.60.1, srun and the kernel printed; shortened only in times and sources. */
const lines: [string, LogEvent][] = [
  [
    '{"level":"info","msg":"Copied (new)","object":"f1","objectType":"*local.Object"}',
    { kind: "copied", object: "f1" },
  ],
  [
    '{"level":"info","msg":"Copied (replaced existing)","object":"a b","objectType":"*s3.Object"}',
    { kind: "copied", object: "a b" },
  ],
  [
    '{"level":"info","msg":"Copied (server-side copy)","object":"x","objectType":"*s3.Object"}',
    { kind: "copied", object: "x" },
  ],
  [
    '{"level":"info","msg":"Copied (Rcat, new)","object":"x","objectType":"*local.Object"}',
    { kind: "copied", object: "x" },
  ],
  [
    '{"level":"info","msg":"Multi-thread Copied (new)","object":"x","objectType":"*s3.Object"}',
    { kind: "copied", object: "x" },
  ],
  ['{"level":"info","msg":"Copied (new) to: y","object":"x","size":5}', { kind: "copied", object: "x" }],
  [
    '{"level":"debug","msg":"Unchanged skipping","object":"f2","objectType":"*local.Object"}',
    { kind: "unchanged", object: "f2" },
  ],
  ['{"level":"info","msg":"Copied (new)"}', { kind: "other" }],
  // Words of others that quote it, and names of objects, prove nothing.
  ['{"level":"info","msg":"Not Copied (new)","object":"x"}', { kind: "other" }],
  ['{"level":"debug","msg":"Skipped: Multi-thread Copied (new)","object":"x"}', { kind: "debug" }],
  ['{"level":"info","msg":"\\nCopied (new)","object":"x"}', { kind: "other" }],
  ['{"level":"debug","msg":"Not Unchanged skipping","object":"x"}', { kind: "debug" }],
  [
    '{"level":"debug","msg":"low level retry 1/1 (error SlowDown: Please reduce your request rate.\\n\\tstatus code: 503, request id: , host id: )","object":"pacer","objectType":"string"}',
    {
      kind: "retry",
      object: undefined,
      message: "SlowDown: Please reduce your request rate.\n\tstatus code: 503, request id: , host id: ",
    },
  ],
  [
    '{"level":"debug","msg":"Received error: SlowDown: Please reduce your request rate. - low level retry 1/20","object":"d9/k1","objectType":"*s3.Object"}',
    { kind: "retry", object: "d9/k1", message: "SlowDown: Please reduce your request rate." },
  ],
  ['{"level":"info","msg":"low level retry 1/1 (error x)","object":"pacer"}', { kind: "other" }],
  ['{"level":"info","msg":"Deleted","object":"Copied (new)"}', { kind: "other" }],
  ['{"level":"info","msg":"There was nothing to transfer","source":"sync/sync.go:939"}', { kind: "other" }],
  ['{"level":"warning","msg":"Config file \\"/x\\" not found - using defaults"}', { kind: "other" }],
  [
    '{"level":"error","msg":"Failed to copy: failed to open source object: NoSuchKey: gone","object":"k","objectType":"*s3.Object"}',
    {
      kind: "object-error",
      object: "k",
      message: "Failed to copy: failed to open source object: NoSuchKey: gone",
    },
  ],
  [
    '{"level":"error","msg":"Attempt 1/1 failed with 3 errors and: x"}',
    { kind: "error", message: "Attempt 1/1 failed with 3 errors and: x" },
  ],
  [
    '{"level":"warning","msg":"\\nTransferred: 2 / 2","stats":{"bytes":3000,"checks":0,"errors":0,"eta":null,"speed":1.5,"totalBytes":3000,"transfers":2}}',
    {
      kind: "stats",
      stats: { bytes: 3000, errors: 0, eta: null, speed: 1.5, transfers: 2, done: 3002, inFlight: [] },
    },
  ],
  [
    '{"time":"x","level":"notice","msg":"","stats":{"bytes":30,"checking":["g"],"checks":1,"errors":2,"eta":7,"listed":3,"serverSideCopyBytes":5,"speed":1,"transferring":[{"bytes":30,"dstFs":"o","name":"a b","percentage":35}],"transfers":4,"updatedDirs":6}}',
    {
      kind: "stats",
      stats: { bytes: 30, errors: 2, eta: 7, speed: 1, transfers: 4, done: 51, inFlight: ["a b", "g"] },
    },
  ],
  [
    '2026/11/22 09:51:22 Failed to create file system for "nosuch:b": didn\'t find section in config file',
    {
      kind: "error",
      message: 'Failed to create file system for "nosuch:b": didn\'t find section in config file',
    },
  ],
  [
    "srun: error: spank: cannot open image /x.sqsh",
    { kind: "error", message: "srun: error: spank: cannot open image /x.sqsh" },
  ],
  ['caused by: Get "http://127.0.0.1:1/b/gone": dial tcp', { kind: "other" }],
  ['{"level":"info","msg":"Copied (ne', { kind: "other" }],
  ["", { kind: "other" }],
];

describe("rclone's log", () => {
  for (const [line, event] of lines) test(line.slice(0, 80), () => expect(parseLogLine(line)).toEqual(event));
});

test("a message is put in the class that decides what follows", () => {
  const rows: [string, string][] = [
    ["didn't find section in config file", "config"],
    ["NoSuchKey: The specified key does not exist.\n\tstatus code: 404, request id: 1", "missing"],
    ["AccessDenied: Access Denied\n\tstatus code: 403, request id: , host id: ", "auth"],
    ["SlowDown: Please reduce your request rate.\n\tstatus code: 503, request id: ", "throttled"],
    [
      'RequestError: send request failed\ncaused by: Get "http://127.0.0.1:1/b/f1": dial tcp 127.0.0.1:1: connect: connection refused',
      "network",
    ],
    [
      "RequestError: send request failed\ncaused by: read tcp 127.0.0.1:1: connection reset by peer",
      "network",
    ],
    ["InternalError: We encountered an internal error.\n\tstatus code: 500", "network"],
    ["write /mnt/x: no space left on device", "destination-full"],
    ["NoSuchBucket: The specified bucket does not exist\n\tstatus code: 404", "config"],
    [
      "FATAL:   could not open image /i.sif: failed to retrieve path for /i.sif: lstat /i.sif: no such file or directory",
      "container",
    ],
    ["open /in/f: too many levels of symbolic links", "path"],
    ["open /out/f: is a directory", "path"],
    ["mkdir /out/p: not a directory", "path"],
    ["partial file rename failed: can't move object - incompatible remotes", "path"],
    ["slurmstepd: error: pyxis: couldn't chdir to /x: Not a directory", "container"],
    ["something never seen", "unknown"],
  ];
  expect(rows.map(([message]) => [message, classifyMessage(message)])).toEqual(rows);
});
