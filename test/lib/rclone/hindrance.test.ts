import { describe, expect, test } from "bun:test";
import { hindranceOf, sideOf, storePlace } from "../../../lib/rclone/hindrance.ts";
import { parseRemotes } from "../../../lib/rclone/rclone-conf.ts";

const refused = "dial tcp 127.0.0.1:9: connect: connection refused";

/** [what rclone 1.60 or 1.76 says, what the store does] */
const messages: [string, string | undefined][] = [
  [
    `RequestError: send request failed\ncaused by: Get "http://127.0.0.1:9/data": ${refused}`,
    "refuses connections",
  ],
  [
    "dial tcp: lookup no-such.invalid on 10.0.0.53:53: no such host",
    "has a host name that is not found: look at its endpoint",
  ],
  ["dial tcp 10.1.1.1:443: connect: no route to host", "cannot be reached: there is no route to it"],
  [
    'Put "https://h/b/k": x509: certificate signed by unknown authority',
    "shows a certificate that is not trusted",
  ],
  ["dial tcp 10.1.1.1:443: i/o timeout", "does not answer"],
  ["net/http: TLS handshake timeout", "does not answer"],
  [
    "SlowDown: Please reduce your request rate.\n\tstatus code: 503, request id: 1",
    "refuses requests and asks to slow down",
  ],
  [
    "https response error StatusCode: 429, RequestID: , api error TooManyRequests",
    "refuses requests and asks to slow down",
  ],
  ['Put "http://127.0.0.1:9/copy/k": EOF', "breaks connections off"],
  ["read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer", "breaks connections off"],
  [
    "InternalError: We encountered an internal error.\n\tstatus code: 500",
    "answers with errors of its own (status 5xx)",
  ],
  ["AccessDenied: Access Denied\n\tstatus code: 403", undefined],
  ["object not found", undefined],
  ["", undefined],
];

test.each(messages)("%p", (message, what) => expect(hindranceOf(message)?.what).toBe(what));

const conf = (name: string, endpoint: string) =>
  `[${name}]\ntype = s3\n${endpoint === "" ? "" : `endpoint = ${endpoint}\n`}`;

describe("the side of a request", () => {
  const a = "http://127.0.0.1:1";
  const b = "https://Store.example.org/";
  /** [source's endpoint, destination's, message, side] */
  const rows: [string, string, string, string | undefined][] = [
    [a, b, `Get "http://127.0.0.1:1/src/k": ${refused}`, "source"],
    [a, b, 'Get "https://store.example.org/dst?max-keys=1": EOF', "destination"],
    [a, b, 'Get "https://dst.store.example.org/k": EOF', "destination"],
    [a, b, "dial tcp 127.0.0.1:1: connect: connection refused", "source"],
    [a, b, "dial tcp: lookup store.example.org on 10.0.0.53:53: no such host", "destination"],
    [a, "", `Put "http://127.0.0.1:1/src/k": ${refused}`, "source"],
    [a, a, `Get "http://127.0.0.1:1/src/k": ${refused}`, "source"],
    [a, a, `Get "http://127.0.0.1:1/dst?prefix=": ${refused}`, "destination"],
    [a, a, `Get "http://127.0.0.1:1/other": ${refused}`, undefined],
    ["", "", 'Get "https://src.s3.eu-west-1.amazonaws.com/k": EOF', "source"],
    ["", "", 'Put "https://s3.amazonaws.com/unknown/k": EOF', "destination"],
    [a, a, "SlowDown: Please reduce your request rate.", undefined],
    [a, b, "", undefined],
  ];
  test.each(rows)("%p and %p: %p", (source, dest, message, side) => {
    const context = { remotes: parseRemotes(conf("s", source) + conf("d", dest)), env: {}, flags: new Map() };
    const places = { source: storePlace("s:src/x", context), destination: storePlace("d:dst", context) };
    expect(sideOf(message, places)).toBe(side as never);
  });

  test("a path is no store", () => {
    const context = { remotes: parseRemotes(""), env: {}, flags: new Map<string, string>() };
    expect(storePlace("/data/in", context)).toBeUndefined();
    const places = { source: undefined, destination: undefined };
    expect(sideOf(`Put "http://h/b/k": ${refused}`, places)).toBe("destination");
  });
});
