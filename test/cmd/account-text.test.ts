import { expect, test } from "bun:test";
import { progressText } from "../../cmd/account-text.ts";
import { emptyAccount } from "../../lib/run/account.ts";

test.each([
  [null, /^100% {2}0\/0 objects/],
  [
    { refused: 42, requests: 100, transfers: 4, wanted: 32 },
    /^100% {2}throttled: 42% of requests refused, transfers 4 of 32 {2}0\/0 objects/,
  ],
  [
    { refused: 0, requests: 0, transfers: 4, wanted: 32 },
    /^100% {2}throttled: 0% of requests refused, transfers 4 of 32 {2}0/,
  ],
])(
  "the live line tells of a store that throttles where a narrow terminal shows it: %p",
  (throttling, line) => {
    const account = emptyAccount({ objects: 0, bytes: 0 });
    expect(progressText({ account, bytesPerSecond: 0, etaSeconds: null, throttling })).toMatch(line);
  },
);
