import { describe, expect, test } from "bun:test";
import { clockFinding, endpointsOf, lookAtClock, skewFinding } from "../../../lib/operate/doctor-clock.ts";
import { parseRemotes } from "../../../lib/rclone/rclone-conf.ts";

const conf = `
[a]
type = s3
endpoint = http://user:secret@store.example:9000/some/path
access_key_id = KEY
[b]
type = s3
endpoint = store.example
[aws]
type = s3
provider = AWS
region = eu-west-1
[unknown]
type = s3
provider = Other
[disk]
type = local
[bad]
type = s3
endpoint = http://
`;
const context = { remotes: parseRemotes(conf), env: {}, flags: new Map<string, string>() };

test("of rclone.conf the endpoints are taken, without what may be a credential", () => {
  const roots = ["a:x", "b:y", "a:z", "aws:x", "unknown:x", "disk:/x", "bad:x", "/path", "none:x"];
  expect(endpointsOf(roots, context)).toEqual([
    { remote: "a", url: "http://store.example:9000" },
    { remote: "b", url: "https://store.example" },
    { remote: "aws", url: "https://s3.eu-west-1.amazonaws.com" },
  ]);
});

const endpoint = { remote: "a", url: "http://store.example" };
const minute = 60;

test.each([
  [{ ahead: 0 }, false, "ok"],
  [{ ahead: -5 * minute }, false, "ok"],
  [{ ahead: 5 * minute + 1 }, false, "warning"],
  [{ ahead: -14 * minute }, false, "warning"],
  [{ ahead: 15 * minute }, false, "failure"],
  [{ ahead: -3600 }, true, "failure"],
  [{ noDate: true }, false, "skipped"],
  [{ problem: "ECONNREFUSED" }, false, "failure"],
  [{ problem: "ECONNREFUSED" }, true, "skipped"],
] as const)("a clock %p, reached by a node %p: %s", (look, isReached, state) => {
  const found = clockFinding(endpoint, look, isReached);
  expect(found.state).toBe(state);
  expect(found.mend !== undefined).toBe(state === "warning" || state === "failure");
});

test("what is off is told in words", () => {
  expect(skewFinding("clock", 1, "a and b").text).toBe("a and b agree");
  expect(skewFinding("clock", -420, "a and b").text).toBe("a and b differ by 7m00s");
});

describe("an endpoint is asked for its time", () => {
  const served = async (respond: (request: Request) => Response | Promise<Response>, timeoutMs = 10_000) => {
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: respond });
    return await lookAtClock({ remote: "a", url: `http://127.0.0.1:${server.port}` }, timeoutMs);
  };
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString();

  test("which it tells even when it refuses; nothing is sent but the request", async () => {
    const headers: string[] = [];
    const look = await served((request) => {
      headers.push(...request.headers.keys());
      return new Response("no", { status: 403, headers: { date: at(0) } });
    });
    expect(look).toEqual({ ahead: 0 });
    expect(headers).not.toContain("authorization");
  });

  test("which is ten minutes off, to either side", async () => {
    const aheadOf = async (seconds: number) => {
      const look = await served(() => new Response(null, { headers: { date: at(seconds) } }));
      return "ahead" in look ? Math.round(look.ahead / minute) : undefined;
    };
    expect(await aheadOf(-600)).toBe(10);
    expect(await aheadOf(600)).toBe(-10);
  });

  test("which never answers, or is not there", async () => {
    const never = Promise.withResolvers<Response>();
    const silent = served(() => never.promise, 200);
    expect(await silent).toEqual({ problem: "no answer within 0.2 s" });
    never.resolve(new Response());
    expect(await lookAtClock({ remote: "a", url: "http://127.0.0.1:1" })).toEqual({
      problem: expect.stringMatching(/ECONNREFUSED|ConnectionRefused|reached/),
    });
  });
});
