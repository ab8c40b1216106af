import { expect, test } from "bun:test";
import { isLoopback, parseListenAddress, urlHost } from "../../../lib/operate/listen-address.ts";

test.each([
  ["9100", { host: "127.0.0.1", port: 9100 }],
  [":0", { host: "127.0.0.1", port: 0 }],
  ["localhost:65535", { host: "localhost", port: 65_535 }],
  ["0.0.0.0:9100", { host: "0.0.0.0", port: 9100 }],
  ["login-1.site:9100", { host: "login-1.site", port: 9100 }],
  ["[::1]:9100", { host: "::1", port: 9100 }],
  ["", undefined],
  ["localhost", undefined],
  ["65536", undefined],
  ["-1", undefined],
  ["::1:9100", undefined],
  ["http://localhost:9100", undefined],
  ["local host:9100", undefined],
  ["9100\n", undefined],
])("%j is %j", (text, address) => expect(parseListenAddress(text)).toEqual(address));

test.each([
  ["127.0.0.1", true],
  ["127.1.2.3", true],
  ["localhost", true],
  ["::1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["127.0.0.1.evil.site", false],
  ["localhost.evil.site", false],
])("%s is loopback: %p", (host, is) => expect(isLoopback(host)).toBe(is));

test("an address of IPv6 has brackets in a URL", () => {
  expect([urlHost("::1"), urlHost("127.0.0.1")]).toEqual(["[::1]", "127.0.0.1"]);
});
