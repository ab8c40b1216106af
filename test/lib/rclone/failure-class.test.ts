import { expect, test } from "bun:test";
import { classifyMessage, type FailureClass } from "../../../lib/rclone/failure-class.ts";

test("a store that asks for less is throttling, whatever its words", () => {
  const rows: [string, FailureClass][] = [
    ["SlowDown: Please reduce your request rate.", "throttled"],
    [
      "Failed to copy: failed to open source object: status code: 503, request id: x, host id: y",
      "throttled",
    ],
    ["s3 upload: 503 Service Unavailable: status code: 503", "throttled"],
    ["status code: 429, request id: x", "throttled"],
    [
      "operation error S3: PutObject, https response error StatusCode: 503, RequestID: x, HostID: y",
      "throttled",
    ],
    ["operation error S3: HeadObject, https response error StatusCode: 404, RequestID: x", "missing"],
    ["operation error S3: HeadObject, https response error StatusCode: 403, RequestID: x", "auth"],
    ["operation error S3: GetObject, https response error StatusCode: 500, RequestID: x", "network"],
    ["TooManyRequests: x", "throttled"],
    ["status code: 500, request id: x", "network"],
    ["status code: 5031", "network"],
    ["status code: 404, request id: x", "missing"],
    ["status code: 403, request id: x", "auth"],
  ];
  expect(rows.map(([message]) => [message, classifyMessage(message)])).toEqual(rows);
});
