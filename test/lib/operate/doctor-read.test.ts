import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSteps } from "../../../lib/operate/doctor-read.ts";
import { ask } from "../../../lib/operate/doctor-run.ts";
import { nodeScript, pathScript, probeText, rcloneScript } from "../../../lib/operate/doctor-steps.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

describe("what the scripts print is read", () => {
  test.each<[string, string, object]>([
    ["nothing", "a banner\n", { node: undefined, source: undefined, rclone: undefined, probe: undefined }],
    [
      "a node",
      "banner\n== node\nn1\n== glibc\nglibc 2.36\n== date\n1795628681\n== conf\n600\n== folder\nwritable\n",
      { node: "n1", glibc: "2.36", date: 1_795_628_681, conf: { mode: "0600" }, folder: "writable" },
    ],
    [
      "what is missing there",
      "== conf\nmissing\n== folder\nmissing\n",
      { conf: "missing", folder: "missing" },
    ],
    ["a binary that runs", "== binary\n0.2.0\ncode 0\n", { binary: { version: "0.2.0" } }],
    [
      "one that does not",
      "== binary\nsh: 9: /r/bin/xfer: Permission denied\ncode 126\n",
      { binary: { problem: "sh: 9: /r/bin/xfer: Permission denied" } },
    ],
    [
      "rclone",
      "== rclone\nrclone v1.60.1-DEV\n- os/version: debian\n",
      { rclone: { version: "v1.60.1-DEV" } },
    ],
    [
      "no rclone",
      "== rclone\nsh: 1: rclone: not found\n",
      { rclone: { problem: expect.stringContaining("rclone: not found") } },
    ],
    ["objects, cut off", '== source\n[\n{"Path":"a","Size":1},\n{"Pa\n', { source: "objects" }],
    ["no object", "== source\n[\n]\ncode 0\n== dest\n[]\ncode 0\n", { source: "empty", dest: "empty" }],
    [
      "no bucket",
      "== dest\n[\n2026/11/25 08:00:00 ERROR : : error listing: directory not found\n2026/11/25 08:00:00 Failed to lsjson with 2 errors: last error was: error in ListJSON: directory not found\ncode 3\n",
      { dest: "absent" },
    ],
    [
      "a key that is refused",
      "== dest\n[\n2026/11/25 08:00:00 Failed to lsjson: SignatureDoesNotMatch: no\n\tstatus code: 403\ncode 1\n",
      { dest: { problem: expect.stringContaining("SignatureDoesNotMatch") } },
    ],
    [
      "a place that was given up",
      "== source\n[\nTerminated\ncode 143\n",
      { source: { problem: "it does not answer" } },
    ],
    ["a place that hung", "== source\n[\n", { source: { problem: "it does not answer" } }],
  ])("%s", (_, text, facts) => expect(readSteps(text)).toMatchObject(facts));

  const probe = (put: string, read: string, remove: string, more = "") =>
    readSteps(`== put\n${put}\n== read\n${read}\n== remove\n${remove}\n${more}`).probe;
  test.each([
    ["code 0", `${probeText}\ncode 0`, "\ncode 0", { problem: undefined, isLeft: false }],
    [
      "code 0",
      "another\ncode 0",
      "\ncode 0",
      { problem: "it was read back with another content", isLeft: false },
    ],
    [
      "code 0",
      "denied\ncode 1",
      "\ncode 0",
      { problem: expect.stringMatching(/^it could not be read back/), isLeft: false },
    ],
    [
      "denied\ncode 1",
      "denied\ncode 1",
      "object not found\ncode 4",
      { problem: expect.stringMatching(/could not be put: denied/), isLeft: false },
    ],
    [
      "timeout\ncode 1",
      "x\ncode 1",
      "timeout\ncode 1",
      { problem: expect.stringMatching(/could not be put/), isLeft: true },
    ],
    [
      "code 0",
      `${probeText}\ncode 0`,
      "denied\ncode 1",
      { problem: expect.stringMatching(/could not be deleted: denied/), isLeft: true },
    ],
    // It was cut off.
    ["code 0", "", "", { problem: expect.any(String), isLeft: true }],
  ])("a probe: put %p, read %p, remove %p", (put, read, remove, facts) => {
    expect(probe(put, read, remove)).toMatchObject(facts);
    expect(probe(put, read, remove, "== versioning\nEnabled\n")?.versioning).toBe("Enabled");
  });
});

const run = async (script: string) => {
  const answer = await ask(["sh", "-c", script], { timeoutMs: 60_000 });
  if (answer.kind !== "ended") throw new Error(answer.kind);
  return readSteps(answer.stdout);
};

describe("the scripts, run by this host's shell on names that are hard to quote", () => {
  test("a node", async () => {
    using dir = temporaryDirectory("xfer doctor's $HOME ");
    const at = (name: string) => join(dir.path, name);
    writeFileSync(at("conf"), "", { mode: 0o600 });
    writeFileSync(at("agent"), "#!/bin/sh\necho 9.9.9\n", { mode: 0o755 });
    const facts = await run(nodeScript({ configPath: at("conf"), binary: at("agent"), runDir: dir.path }));
    expect(facts).toMatchObject({
      ...{
        node: expect.any(String),
        conf: { mode: "0600" },
        folder: "writable",
        binary: { version: "9.9.9" },
      },
    });
    expect(Math.abs((facts.date ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    const absent = await run(nodeScript({ configPath: at("no"), binary: at("no"), runDir: at("no") }));
    expect(absent).toMatchObject({
      ...{ conf: "missing", folder: "missing", binary: { problem: expect.stringContaining("not found") } },
    });
  });

  test("paths: what is there, and a probe that leaves nothing", async () => {
    using dir = temporaryDirectory("xfer doctor's $HOME ");
    const at = (name: string) => join(dir.path, name);
    mkdirSync(at("full/below"), { recursive: true });
    writeFileSync(at("full/below/file"), "x");
    mkdirSync(at("empty"));
    const facts = (source: string, dest: string) =>
      run(pathScript({ source: at(source), dest: at(dest), probeKey: ".xfer-doctor-it's", placeFlags: [] }));
    expect(await facts("full", "empty")).toMatchObject({
      ...{ source: "objects", dest: "objects", probe: { problem: undefined, isLeft: false } },
    });
    expect(await facts("empty", "none/below")).toMatchObject({
      ...{ source: "empty", dest: "absent", probe: { problem: undefined, isLeft: false } },
    });
    expect(await facts("none", "full")).toMatchObject({ source: "absent", dest: "objects" });
    expect(readdirSync(dir.path).sort()).toEqual(["empty", "full"]);
    expect([readdirSync(at("empty")), readdirSync(at("full"))]).toEqual([[], ["below"]]);
  });

  test("nothing is written where no probe is asked for, and nothing is asked of places that rclone does not reach", () => {
    const places = { source: "/s", dest: "/d", probeKey: undefined, placeFlags: [] };
    expect(pathScript(places)).not.toContain("== put");
    expect(rcloneScript(places, undefined)).toBe("echo '== rclone'\nrclone version 2>&1 | head -n 5");
    expect(pathScript({ ...places, source: "src:a", dest: "dst:b" })).toBe("");
  });
});

test("a program that hangs is told to end and is late; one that is not there is missing", async () => {
  using dir = temporaryDirectory();
  const mark = join(dir.path, "cleaned");
  const late = await ask(["sh", "-c", `trap 'touch "$0"; exit 1' TERM; echo first; sleep 60 & wait`, mark], {
    timeoutMs: 500,
  });
  expect(late).toMatchObject({ kind: "late", stdout: "first\n" });
  expect(existsSync(mark)).toBe(true);
  const stopped = await ask(["sleep", "60"], { timeoutMs: 60_000, stop: AbortSignal.abort("SIGINT") });
  expect(stopped).toMatchObject({ kind: "ended", code: 143 });
  expect(await ask(["no-such-program"], { timeoutMs: 1000 })).toEqual({ kind: "missing" });
});
