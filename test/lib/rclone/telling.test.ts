import { describe, expect, test } from "bun:test";
import type { FailureClass } from "../../../lib/rclone/failure-class.ts";
import { causeOf, oneLine, tellCause } from "../../../lib/rclone/telling.ts";

const plugin = [
  "error: spank: required plugin spank_pyxis.so: task_init() failed with rc=-1",
  "error: Failed to invoke spank plugin stack",
];
const exitCode = (code: number) => `srun: error: n1: task 0: Exited with exit code ${code}`;

/** What pyxis prints around the lines of enroot's log. */
function framed(log: readonly string[], what = "failed to create container filesystem for image: /i.sqsh") {
  const lines = ["child 4711 failed with error code: 1", what, "printing enroot log file:"];
  return [...lines, ...log.map((line) => `    ${line}`)].map((line) => `error: pyxis: ${line}`);
}

const imported = (...log: string[]) =>
  framed(log, "failed to import docker image: registry.example/rclone:1");
const started = (...log: string[]) => framed(log, "container start failed with error code: 1");
const mount = "--container-mounts: source path does not exist: ";

/** What is printed when a container does not start, [its class, the cause that is told, whether it is final at once]. */
const containers: [string, string[], number, FailureClass, string, boolean?][] = [
  [
    "image missing, or a directory",
    framed(["[ERROR] No such file or directory: /i.sqsh"]),
    1,
    "container",
    "[ERROR] No such file or directory: /i.sqsh",
  ],
  [
    "unreadable, empty, or a text file",
    framed(["[ERROR] Invalid image format: /i.sqsh"]),
    1,
    "container",
    "[ERROR] Invalid image format: /i.sqsh",
  ],
  [
    "truncated",
    framed([
      "[INFO] Extracting squashfs filesystem...",
      "Parallel unsquashfs: Using 2 processors",
      "Read on filesystem failed because EOF",
      "FATAL ERROR: File system corruption detected",
    ]),
    1,
    "container",
    "Read on filesystem failed because EOF; FATAL ERROR: File system corruption detected",
  ],
  [
    "registry: no network",
    imported("curl: (6) Could not resolve host: registry.example"),
    1,
    "container",
    "curl: (6) Could not resolve host: registry.example",
  ],
  [
    "registry: refused",
    imported(
      "curl: (7) Failed to connect to registry.example port 443 after 0 ms: Couldn't connect to server",
    ),
    1,
    "container",
    "curl: (7) Failed to connect to registry.example port 443 after 0 ms: Couldn't connect to server",
  ],
  ...(["401 Unauthorized", "403 Forbidden", "404 Not Found"] as const).map(
    (status): (typeof containers)[number] => [
      `registry: ${status}`,
      imported(`[ERROR] URL https://registry.example/v2/ returned error code: ${status}`),
      1,
      "container",
      `[ERROR] URL https://registry.example/v2/ returned error code: ${status}`,
      true,
    ],
  ),
  ...(["500 Internal Server Error", "429 "] as const).map((status): (typeof containers)[number] => [
    `registry: ${status}`,
    imported(`[ERROR] URL https://registry.example/v2/ returned error code: ${status}`),
    1,
    "container",
    `[ERROR] URL https://registry.example/v2/ returned error code: ${status}`.trim(),
  ]),
  [
    "node's disk full",
    framed(["Write on output file failed because No space left on device"]),
    1,
    "container",
    "Write on output file failed because No space left on device",
  ],
  [
    "enroot's data folder not writable",
    framed(["mkdir: cannot create directory ‘/run/enroot/data’: Permission denied"]),
    1,
    "container",
    "mkdir: cannot create directory ‘/run/enroot/data’: Permission denied",
  ],
  [
    "enroot's data folder on a read-only file system",
    framed(["mkdir: cannot create directory ‘/run/enroot/data’: Read-only file system"]),
    1,
    "container",
    "mkdir: cannot create directory ‘/run/enroot/data’: Read-only file system",
  ],
  [
    "enroot not installed",
    framed([]),
    1,
    "container",
    "failed to create container filesystem for image: /i.sqsh (enroot says nothing of it: is it installed on this node?)",
  ],
  ["mount source missing", [`error: pyxis: ${mount}/data/in`], 1, "container", `${mount}/data/in`],
  [
    "rclone.conf missing",
    [`error: pyxis: ${mount}/home/u/my.conf`],
    1,
    "container",
    `${mount}/home/u/my.conf (rclone.conf is not on this node)`,
    true,
  ],
  [
    "mount source unreadable",
    started("enroot-mount: failed to mount: /data/in at /e/x/data/in: No such file or directory"),
    1,
    "container",
    "enroot-mount: failed to mount: /data/in at /e/x/data/in: No such file or directory",
  ],
  [
    "no sh in the image",
    started("enroot-switchroot: failed to execute: /bin/sh: No such file or directory"),
    1,
    "container",
    "enroot-switchroot: failed to execute: /bin/sh: No such file or directory (the image holds no sh)",
    true,
  ],
  [
    "srun killed at the start",
    ["error: pyxis: container exited too soon"],
    1,
    "container",
    "container exited too soon",
  ],
];

describe.each(["slurmstepd: ", "slurmstepd-n1: "])("a container that does not start, by %s", (daemon) => {
  test.each(containers)("%s", (_, lines, code, failure, message, final = false) => {
    const stderr = [...[...lines, ...plugin].map((line) => `${daemon}${line}`), exitCode(code)].join("\n");
    expect(tellCause(stderr, { configPath: "/home/u/my.conf" })).toEqual({ class: failure, message, final });
  });

  test("no rclone in the image", () => {
    const stderr = `pyxis: importing docker image: rclone\npyxis: imported docker image: rclone\n${daemon}error: execve(): rclone: No such file or directory\n${exitCode(2)}`;
    expect(tellCause(stderr)).toEqual({
      class: "container",
      message: "execve(): rclone: No such file or directory (the image holds no rclone)",
      final: true,
    });
  });
});

test.each([
  [
    "bad mount words",
    "srun: error: pyxis: mount target must be a relative path or an absolute path\nsrun: error: pyxis: could not add mount entry: /a:b",
    { class: "container", message: "mount target must be a relative path or an absolute path", final: true },
  ],
  [
    "no pyxis",
    "srun: unrecognized option '--container-image=/i.sqsh'\nTry \"srun --help\" for more information",
    { class: "container", message: "unrecognized option '--container-image=/i.sqsh'", final: false },
  ],
  [
    "rclone kill -9",
    "srun: job 7 queued and waiting for resources\nsrun: error: n1: task 0: Killed",
    { class: "unknown", message: "srun: error: n1: task 0: Killed", final: false },
  ],
  [
    "rclone out of memory",
    "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.\nsrun: error: n1: task 0: Out Of Memory",
    {
      class: "unknown",
      message: "Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.",
      final: false,
    },
  ],
  [
    "a busy controller",
    "srun: error: Application launch failed: Job credential expired\nsrun: Job step aborted: Waiting up to 32 seconds for job step to finish.",
    { class: "network", message: "Application launch failed: Job credential expired", final: false },
  ],
  [
    "apptainer without the image",
    "FATAL:   could not open image /i.sif: lstat /i.sif: no such file or directory",
    {
      class: "container",
      message: "FATAL: could not open image /i.sif: lstat /i.sif: no such file or directory",
      final: false,
    },
  ],
  [
    "apptainer's image without rclone",
    'FATAL:   "rclone": executable file not found in $PATH',
    {
      class: "container",
      message: 'FATAL: "rclone": executable file not found in $PATH (the image holds no rclone)',
      final: true,
    },
  ],
  [
    "rclone's own error after an import",
    'pyxis: importing docker image: rclone/rclone:1\npyxis: imported docker image: rclone/rclone:1\n{"level":"error","msg":"Failed to copy: AccessDenied: Access Denied\\n\\tstatus code: 403, request id: 1, host id: 2"}\nsrun: error: n1: task 0: Exited with exit code 1',
    { class: "auth", message: "Failed to copy: AccessDenied: Access Denied", final: true },
  ],
  [
    "last words over some lines",
    '2026/11/25 06:35:12 Failed to lsjson: error in ListJSON: RequestError: send request failed\ncaused by: Get "http://127.0.0.1:9/data?list-type=2&prefix=": dial tcp 127.0.0.1:9: connect: connection refused',
    {
      class: "network",
      message: 'Get "http://127.0.0.1:9/data": dial tcp 127.0.0.1:9: connect: connection refused',
      final: false,
    },
  ],
  [
    "last words over some lines, with empty numbers",
    "2026/11/25 06:35:10 Failed to lsjson: error in ListJSON: AccessDenied: Access Denied\n\tstatus code: 403, request id: , host id: ",
    { class: "auth", message: "AccessDenied: Access Denied", final: true },
  ],
  [
    "last words that only count",
    '{"level":"error","msg":"error listing: permission denied","object":"d"}\n2026/11/25 02:25:17 Failed to lsjson with 3 errors: last error was: error in ListJSON: x',
    { class: "auth", message: "d: error listing: permission denied", final: true },
  ],
])("what is told: %s", (_, stderr, cause) => expect(tellCause(stderr)).toEqual(cause as never));

/** The code, the words and the status of an answer, as each SDK prints them: rclone 1.60's, and that of current ones. */
const answers: [code: string, words: string, status: number, FailureClass, final: boolean][] = [
  ["AccessDenied", "Access Denied", 403, "auth", true],
  [
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided.",
    403,
    "auth",
    true,
  ],
  [
    "InvalidAccessKeyId",
    "The AWS Access Key Id you provided does not exist in our records.",
    403,
    "auth",
    true,
  ],
  [
    "RequestTimeTooSkewed",
    "The difference between the request time and the current time is too large.",
    403,
    "auth",
    false,
  ],
  ["NoSuchKey", "The specified key does not exist.", 404, "missing", true],
  ["NoSuchBucket", "The specified bucket does not exist", 404, "config", true],
  ["InvalidBucketName", "The specified bucket is not valid.", 400, "config", true],
  [
    "AuthorizationHeaderMalformed",
    "the region 'us-east-1' is wrong; expecting 'eu-west-1'",
    400,
    "config",
    true,
  ],
  ["PermanentRedirect", "The bucket must be addressed using the specified endpoint.", 301, "config", true],
  [
    "NotImplemented",
    "A header you provided implies functionality that is not implemented",
    501,
    "config",
    true,
  ],
  ["MethodNotAllowed", "The specified method is not allowed against this resource.", 405, "config", true],
  ["KeyTooLongError", "Your key is too long", 400, "path", true],
  ["EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, "path", true],
  ["QuotaExceeded", "Quota exceeded", 403, "destination-full", false],
  ["SlowDown", "Please reduce your request rate.", 503, "throttled", false],
  ["SomethingNew", "Words", 503, "throttled", false],
  ["InternalError", "We encountered an internal error. Please try again.", 500, "network", false],
  ["NoSuchUpload", "The specified multipart upload does not exist.", 404, "network", false],
  ["RequestTimeout", "Your socket connection was not read from.", 400, "network", false],
];

describe("an answer of S3", () => {
  test.each(answers)("%s: %s", (code, words, status, failure, final) => {
    const v1 = `Failed to copy: ${code}: ${words}\n\tstatus code: ${status}, request id: 4442587FB7D0A2F9, host id: h/x=`;
    const v2 = `Failed to copy: operation error S3: PutObject, https response error StatusCode: ${status}, RequestID: 4442587FB7D0A2F9, HostID: h/x=, api error ${code}: ${words}`;
    const tried = v2.replace("https response", "exceeded maximum number of attempts, 1, https response");
    const message = `Failed to copy: ${code}: ${words}`;
    expect(causeOf(v1)).toEqual({ class: failure, message, final });
    for (const text of [v2, tried]) {
      expect(causeOf(text)).toEqual({ class: failure, message: `${message} (PutObject)`, final });
    }
  });

  const rows: [string, string, FailureClass][] = [
    ["Forbidden: Forbidden\n\tstatus code: 403, request id: 1, host id: ", "403 Forbidden", "auth"],
    [
      "--files-from failed to read file: operation error S3: HeadObject, https response error StatusCode: 403, RequestID: 1, HostID: , api error Forbidden: Forbidden",
      "--files-from failed to read file: 403 Forbidden (HeadObject)",
      "auth",
    ],
    ["NotFound: Not Found\n\tstatus code: 404, request id: 1, host id: ", "404 Not Found", "missing"],
    ["BadRequest: Bad Request\n\tstatus code: 400, request id: 1, host id: h", "400 Bad Request", "unknown"],
    [
      "Failed to copy: BucketRegionError: incorrect region, the bucket is not in 'us-east-1' region at endpoint 'http://127.0.0.1:1'\n\tstatus code: 301, request id: 1, host id: h",
      "Failed to copy: BucketRegionError: incorrect region, the bucket is not in 'us-east-1' region at endpoint 'http://127.0.0.1:1'",
      "config",
    ],
    [
      'Failed to copy: failed to open source object: Object in GLACIER, restore first: bucket="data", key="a/k"',
      'Failed to copy: failed to open source object: Object in GLACIER, restore first: bucket="data", key="a/k"',
      "path",
    ],
    [
      "Failed to copy: failed to open source object: object not found",
      "Failed to copy: failed to open source object: object not found",
      "missing",
    ],
    [
      "Failed to copy: SerializationError: empty response payload\n\tstatus code: 200, request id: , host id: \ncaused by: EOF",
      "Failed to copy: empty response payload: EOF",
      "network",
    ],
    [
      'Failed to copy: failed to open source object: operation error S3: GetObject, exceeded maximum number of attempts, 1, https response error StatusCode: 0, RequestID: , HostID: , request send failed, Get "http://127.0.0.1:9/data/a/k?x-id=GetObject": dial tcp 127.0.0.1:9: connect: connection refused',
      'Failed to copy: failed to open source object: Get "http://127.0.0.1:9/data/a/k": dial tcp 127.0.0.1:9: connect: connection refused (GetObject)',
      "network",
    ],
    [
      'RequestError: send request failed\ncaused by: Put "http://no-such-host.invalid/copy/a/k": dial tcp: lookup no-such-host.invalid on 192.0.2.1:53: no such host',
      'Put "http://no-such-host.invalid/copy/a/k": dial tcp: lookup no-such-host.invalid on 192.0.2.1:53: no such host',
      "network",
    ],
    [
      'RequestError: send request failed\ncaused by: Put "https://127.0.0.1:1/copy/a/k": http: server gave HTTP response to HTTPS client',
      'Put "https://127.0.0.1:1/copy/a/k": http: server gave HTTP response to HTTPS client',
      "config",
    ],
  ];
  test.each(rows)("%s", (text, message, failure) => {
    expect(causeOf(text)).toMatchObject({ message, class: failure });
  });
});

test("a message is one line of at most 500 characters", () => {
  expect(oneLine("a\n\tb\r\n c\u0007")).toBe("a b c");
  expect(oneLine(`${"x".repeat(499)}yz`)).toBe(`${"x".repeat(497)}...`);
});
