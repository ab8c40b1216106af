import { expect, test } from "bun:test";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { untransferablePath } from "../../lib/manifest/untransferable.ts";
import { quoteWords } from "../../lib/system/shell-words.ts";
import { controlNames, hostileNames } from "../data/hostile-names.ts";
import type { FaultRule } from "../s3/endpoint.ts";
import {
  kill,
  processesWith,
  Stage,
  saidIn,
  startXfer,
  temporaryDirectory,
  timeoutMs,
  until,
  xfer,
} from "../stage/harness.ts";
import { heldBelow } from "../stage/json-schemas.ts";

const lines = (path: string) => readFileSync(path, "utf8").split("\n").slice(0, -1);
const paths = (path: string) => lines(path).map((line) => (JSON.parse(line) as { path: string }).path);

function buildArgs(stage: Stage, out: string, ...more: string[]): string[] {
  return [
    ...["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", "dst:copy"],
    ...["--rclone-config", stage.conf, "--run-id", "same", "--out", out, ...more],
  ];
}

/** Objects in `count` prefixes `p-0/` ..., and some at the top. */
function fillPrefixes(stage: Stage, count: number, objects: number): void {
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < objects; j++) stage.source.put("data", `p-${i}/o-${j}`, "x");
  }
  for (let i = 0; i < 3; i++) stage.source.put("data", `top-${i}`, "x");
  stage.source.resetCounts();
}

/** The keys in the list of what cannot be carried that belongs to a manifest. */
function refusedKeys(manifest: string): string[] {
  const path = untransferablePath(manifest);
  return existsSync(path) ? lines(path).map((line) => (JSON.parse(line) as { key: string }).key) : [];
}

/** Builds serially and in parts, and fails unless both have the same records, none twice, and refuse the same keys. */
async function expectSame(stage: Stage, listers: string, ...more: string[]): Promise<string[]> {
  const [serial, parallel] = [`serial-${listers}`, `parallel-${listers}`];
  const one = await stage.xfer(...buildArgs(stage, serial, ...more));
  expect(one).toMatchObject({ code: 0 });
  stage.source.resetCounts();
  const other = await stage.xfer(...buildArgs(stage, parallel, "--list-parallel", listers, ...more));
  expect(other).toMatchObject({ code: 0 });
  expect(lines(join(stage.dir, parallel)).sort()).toEqual(lines(join(stage.dir, serial)).sort());
  expect(existsSync(join(stage.dir, `${parallel}.parts`))).toBe(false);
  const found = paths(join(stage.dir, parallel));
  const refused = refusedKeys(join(stage.dir, serial)).sort();
  expect(refusedKeys(join(stage.dir, parallel)).sort()).toEqual(refused);
  for (const name of [serial, parallel]) {
    rmSync(join(stage.dir, name));
    rmSync(untransferablePath(join(stage.dir, name)), { force: true });
  }
  return [...found, ...refused];
}

/**
 * Words that make pages small: with an endpoint that takes its time, few objects are worth several listings. rclone hands
 * on what is listed by the hundred.
 */
const smallPages = ["--extra-lsjson-flags", "--s3-list-chunk 100"];
const slowList = { kinds: ["LIST"], action: { delayMs: 300 } } satisfies FaultRule;

/** An rclone at the head of the search path that notes each of its starts. */
function countingRclone(dir: string): { env: { PATH: string }; starts: () => number } {
  const bin = join(dir, "bin");
  const notes = join(dir, "starts");
  mkdirSync(bin, { recursive: true });
  writeFileSync(notes, "");
  const words = quoteWords([Bun.which("rclone") ?? "rclone"]);
  const script = `#!/bin/sh\necho >> ${quoteWords([notes])}\nexec ${words} "$@"\n`;
  writeFileSync(join(bin, "rclone"), script, { mode: 0o755 });
  return {
    env: { PATH: `${bin}:${process.env.PATH ?? ""}` },
    starts: () => readFileSync(notes, "utf8").length,
  };
}

test(
  "a listing in parts has the records of a serial one, in the order of prefixes, for little more than its requests",
  async () => {
    await using stage = await Stage.start();
    // In the order of their keys: a prefix of three folders, one of many objects, and others beyond ASCII.
    for (let i = 0; i < 900; i++) stage.source.put("data", `a/${"deep".slice(i % 3)}/er/${i}`, "x");
    for (const prefix of ["a-b", "b", "c d", "big", "é", "😀", "\ue000"]) {
      const objects = prefix === "big" ? 1_200 : 400;
      for (let i = 0; i < objects; i++) stage.source.put("data", `${prefix}/${i}`, "x");
    }
    for (const key of ["a", "a.b", "zz"]) stage.source.put("data", key, "top");
    const { env, starts } = countingRclone(stage.dir);
    const build = (out: string, listers: string) =>
      xfer(buildArgs(stage, out, "--list-parallel", listers, ...smallPages), { cwd: stage.dir, env });
    expect(await build("serial", "1")).toMatchObject({ code: 0 });
    const serial = { requests: stage.source.counts.LIST, starts: starts() };
    expect(serial.starts).toBe(1);
    stage.source.resetCounts();
    stage.source.inject(slowList);
    expect(await build("parallel", "4")).toMatchObject({ code: 0 });
    const found = lines(join(stage.dir, "parallel"));
    expect([...found].sort()).toEqual(lines(join(stage.dir, "serial")).sort());
    const { LIST, HEAD, maxInFlight } = stage.source.counts;
    expect(HEAD).toBe(0);
    // It was divided, into no more parts than there are prefixes, and up to four ran at a time.
    expect(maxInFlight).toBeGreaterThan(1);
    expect(maxInFlight).toBeLessThanOrEqual(4);
    expect(starts() - serial.starts).toBeLessThanOrEqual(8 + 3 + 2);
    expect(LIST).toBeLessThanOrEqual(1.2 * serial.requests);
    const order = [...new Set(paths(join(stage.dir, "parallel")).map((path) => path.replace(/[^/]*$/, "")))];
    expect(order.filter((folder) => !folder.startsWith("a/"))).toEqual([
      "",
      "a-b/",
      "b/",
      "big/",
      "c d/",
      "é/",
      "\ue000/",
      "😀/",
    ]);
    expect(existsSync(join(stage.dir, "parallel.parts"))).toBe(false);
  },
  timeoutMs,
);

test.each([
  ["many small prefixes", (i: number) => `p-${i % 200}/o-${i}`],
  ["one prefix", (i: number) => `p/o-${i}`],
  ["no prefix", (i: number) => `o-${i}`],
])(
  "what gains nothing from other listings is listed by one: %s",
  async (what, keyOf) => {
    await using stage = await Stage.start();
    for (let i = 0; i < 4_000; i++) stage.source.put("data", keyOf(i), "x");
    // Long enough for any help to begin.
    stage.source.inject({ kinds: ["LIST"], action: { delayMs: 60 } });
    const { env, starts } = countingRclone(stage.dir);
    const args = buildArgs(stage, "m", "--list-parallel", "8", ...smallPages);
    expect(await xfer(args, { cwd: stage.dir, env })).toMatchObject({ code: 0 });
    expect(starts()).toBeLessThanOrEqual(what === "one prefix" ? 2 : 1);
    expect(stage.source.counts.LIST).toBeLessThanOrEqual(41);
    expect(new Set(paths(join(stage.dir, "m"))).size).toBe(4_000);
  },
  timeoutMs,
);

test(
  "prefixes with hostile names lose nothing and gain nothing",
  async () => {
    await using stage = await Stage.start();
    const names = [...hostileNames(), ...controlNames].filter((name) => !name.includes("/"));
    for (const name of [...names, "-", "--", "[a-c]*?{x,y}", "$(touch x)", "#", "a b ", " a", "...", "..z"]) {
      stage.source.put("data", `${name}/file`, "x");
      stage.source.put("data", `safe/${name}/deep/file`, "x");
      stage.source.put("data", `safe/${name}`, "an object of the prefix's name");
    }
    await expectSame(stage, "3");
    for (const odd of [
      ["a//b", "a/b", "x/y"],
      ["m/", "m/x", "m/n/", "m/n/o", "only/", "only/p", "q/r/s"],
      ["./y", "x/./y", "u\u201b/v", "u/v", "u/w/\uff0fz/t", "\u240a/x", "\n/x"],
      ["one/two/three/four/five/six/seven/eight/x", "one/two/three/y", "one//two", "one/two//three"],
    ]) {
      for (const key of stage.source.keys("data")) stage.source.remove("data", key);
      for (const key of odd) stage.source.put("data", key, "x");
      // Each is a record, or named as one that cannot be carried.
      expect((await expectSame(stage, "2")).length).toBe(odd.length);
    }
    expect(stage.source.counts.HEAD).toBe(0);
  },
  timeoutMs,
);

/** Trees that are finished in a folder of parts: of each object there is one. */
function keptObjects(dir: string): number {
  const names = existsSync(dir) ? readdirSync(dir) : [];
  return names
    .filter((name) => /^lsjson-tree-.*\.note$/.test(name))
    .map((name) => (JSON.parse(readFileSync(join(dir, name), "utf8")) as { objects: number }).objects)
    .reduce((sum, objects) => sum + objects, 0);
}

test(
  "one part refused: no manifest; the next try lists only what is not finished, and hears of a changed listing",
  async () => {
    await using stage = await Stage.start();
    fillPrefixes(stage, 12, 400);
    const partsDir = join(stage.dir, "m.parts");
    const fast = stage.source.inject(slowList);
    // Refused from when two parts are there.
    const refuse = stage.source.inject({
      kinds: ["LIST"],
      match: () => keptObjects(partsDir) >= 800,
      action: "forbidden",
    });
    const args = buildArgs(stage, "m", "--list-parallel", "3", ...smallPages);
    const refused = await stage.xfer(...args);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/xfer: listing src:data\S* failed: .*AccessDenied/);
    expect(refused.stderr).toMatch(/\d+ finished parts of the listing are kept in m\.parts/);
    expect(readdirSync(stage.dir).filter((name) => /^m(?!\.parts)/.test(name))).toEqual([]);
    refuse();
    fast();
    const kept = keptObjects(partsDir);
    expect(kept).toBeGreaterThanOrEqual(800);
    expect(await heldBelow(partsDir)).toEqual({ names: ["xfer.part.v1", "xfer.parts.v1"], problems: [] });
    const other = await stage.xfer(...args, "--hash", "off");
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("m.parts: holds parts of another listing");
    const elsewhere = await stage.xfer(...args, "--source", "src:data/p-1");
    expect(elsewhere.code).toBe(2);
    stage.source.resetCounts();
    const again = await stage.xfer(...args);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    // Pages of a hundred.
    const requests = (4_800 - kept) / 100;
    expect(stage.source.counts).toMatchObject({ LIST: requests, total: requests });
    expect(existsSync(partsDir)).toBe(false);
    await stage.xfer(...buildArgs(stage, "serial"));
    expect(lines(join(stage.dir, "m")).sort()).toEqual(lines(join(stage.dir, "serial")).sort());
  },
  timeoutMs,
);

test(
  "killed or stopped in mid-listing: no manifest, no process, and finished parts are not listed again",
  async () => {
    await using stage = await Stage.start();
    fillPrefixes(stage, 9, 400);
    const partsDir = join(stage.dir, "m.parts");
    const args = buildArgs(stage, "m", "--list-parallel", "3", ...smallPages);
    const fast = stage.source.inject(slowList);
    const heal = stage.source.inject({
      kinds: ["LIST"],
      match: () => keptObjects(partsDir) >= 800,
      action: "stall",
    });
    const killed = startXfer(args, { cwd: stage.dir });
    await until("two parts", () => keptObjects(partsDir) >= 800);
    kill(killed.pid, "SIGKILL");
    expect((await killed.result).code).toBe(137);
    // Its listers write to nobody: they are ended here as the endpoint's stop would end them.
    for (const pid of processesWith(stage.conf)) kill(pid, "SIGKILL");
    for (const [signal, code] of [
      ["SIGTERM", 75],
      ["SIGINT", 130],
    ] as const) {
      const before = stage.source.counts.LIST;
      const stopped = startXfer(args, { cwd: stage.dir });
      await until("three listings to hang", () => stage.source.counts.LIST === before + 3);
      kill(stopped.pid, signal);
      expect((await stopped.result).code).toBe(code);
      await until("every rclone to end", () => processesWith(stage.conf).length === 0);
    }
    expect(existsSync(join(stage.dir, "m"))).toBe(false);
    heal();
    fast();
    const kept = keptObjects(partsDir);
    stage.source.resetCounts();
    expect(await stage.xfer(...args)).toMatchObject({ code: 0, stderr: "" });
    expect(stage.source.counts.LIST).toBe((3_600 - kept) / 100);
    expect(new Set(paths(join(stage.dir, "m"))).size).toBe(3_603);
  },
  timeoutMs,
);

test(
  "a POSIX tree in parts: links are counted, filters that depend on the root are refused",
  async () => {
    using dir = temporaryDirectory();
    const names = [...hostileNames(), "-r", "{}", "[x]"].filter((name) => !name.includes("/"));
    const one = join(dir.path, "one");
    writeFileSync(one, "x");
    for (const name of names) {
      mkdirSync(join(dir.path, "in", name, "sub"), { recursive: true });
      mkdirSync(join(dir.path, "in", name, "empty"));
      for (const at of ["file", "sub/file"]) linkSync(one, join(dir.path, "in", name, at));
    }
    linkSync(one, join(dir.path, "in", "top"));
    const args = [
      "manifest",
      "build",
      "--runtime",
      "host",
      "--source",
      "in",
      "--dest",
      "out",
      "--run-id",
      "r",
    ];
    for (const out of ["serial", "parallel"]) {
      const more = out === "parallel" ? ["--list-parallel", "12"] : [];
      expect(await xfer([...args, "--out", out, ...more], { cwd: dir.path })).toMatchObject({ code: 0 });
    }
    expect(lines(join(dir.path, "parallel")).sort()).toEqual(lines(join(dir.path, "serial")).sort());
    expect(lines(join(dir.path, "parallel")).length).toBe(2 * names.length + 1);
    for (const more of [["--extra-lsjson-flags", "--exclude /a/**"], ["--no-recursive"]]) {
      const out = ["--out", "refused", "--list-parallel", "2"];
      const refused = await xfer([...args, ...out, ...more], { cwd: dir.path });
      expect(refused.stderr).toStartWith("xfer: --list-parallel: ");
      expect(refused.code).toBe(2);
    }
    expect(readdirSync(dir.path).filter((name) => name.startsWith("refused"))).toEqual([]);
  },
  timeoutMs,
);

test(
  "combine makes of kept listings what one listing would have given, in the order of their names",
  async () => {
    await using stage = await Stage.start();
    fillPrefixes(stage, 3, 1_500);
    const dir = join(stage.dir, "parts");
    mkdirSync(dir);
    const rclone = async (name: string, prefix: string, ...flags: string[]) => {
      const root = `src:data/${prefix}`;
      const argv = [
        "lsjson",
        "--config",
        stage.conf,
        "--no-mimetype",
        "--use-server-modtime",
        "--files-only",
      ];
      const md5 = ["--hash", "--hash-type", "md5", ...flags];
      const child = Bun.spawn(["rclone", ...argv, ...md5, root], {
        env: { PATH: process.env.PATH ?? "", HOME: stage.dir },
        stdout: "pipe",
        stderr: "ignore",
      });
      writeFileSync(join(dir, `lsjson-${name}.json`), await child.stdout.text());
      writeFileSync(join(dir, `lsjson-${name}.prefix`), prefix);
    };
    await rclone("0003", "");
    await rclone("0002", "p-0", "-R");
    await rclone("0010", "p-1/", "-R");
    await rclone("0001", "p-2", "-R");
    const args = ["manifest", "combine", "--source", "src:data", "--dest", "dst:copy", "--run-id", "same"];
    const all = [...args, "--parts-dir", "parts"];
    const combined = await stage.xfer(...all, "--out", "m", "--json");
    expect(saidIn(combined.stderr)).toBe("");
    expect(JSON.parse(combined.stdout)).toEqual({
      ...{ schema: "xfer.build.v1", manifest: "m", run_id: "same", objects: 4_503, bytes: 4_503 },
      untransferable: { objects: 0, bytes: 0 },
    });
    await stage.xfer(...buildArgs(stage, "serial"));
    const found = lines(join(stage.dir, "m"));
    expect([...found].sort()).toEqual(lines(join(stage.dir, "serial")).sort());
    const order = [...new Set(paths(join(stage.dir, "m")).map((path) => path.replace(/\/.*|-\d$/, "")))];
    expect(order.join()).toBe("p-2,p-0,top,p-1");
    const file = (name: string) => join(dir, name);
    const whole = readFileSync(file("lsjson-0002.json"), "utf8");
    // Kept by a program that lays JSON out in its own way.
    for (const space of [0, 2]) {
      writeFileSync(file("lsjson-0002.json"), JSON.stringify(JSON.parse(whole), null, space));
      expect((await stage.xfer(...all, "--out", `m-${space}`)).code).toBe(0);
      expect(lines(join(stage.dir, `m-${space}`))).toEqual(found);
    }
    const inOneLine = JSON.stringify(JSON.parse(whole));
    const broken: [string, () => void, RegExp][] = [
      [
        "truncated, in one line",
        () => writeFileSync(file("lsjson-0002.json"), inOneLine.slice(0, -1)),
        /0002\.json: the listing ended early, after 1,500 objects/,
      ],
      ["truncated", () => writeFileSync(file("lsjson-0002.json"), whole.slice(0, -3)), /0002\.json: .*early/],
      [
        "cut at a line",
        () => writeFileSync(file("lsjson-0002.json"), whole.slice(0, whole.lastIndexOf("{"))),
        /0002\.json: the listing ended early, after 1,499 objects/,
      ],
      [
        "not JSON",
        () => writeFileSync(file("lsjson-0002.json"), "AccessDenied\n"),
        /0002\.json: .*AccessDenied/,
      ],
      ["an object", () => writeFileSync(file("lsjson-0002.json"), "{}\n"), /0002\.json: /],
      ["empty", () => writeFileSync(file("lsjson-0002.json"), ""), /0002\.json: the listing ended early/],
      [
        "two arrays",
        () => writeFileSync(file("lsjson-0002.json"), whole + whole),
        /0002\.json: the listing is not one JSON array/,
      ],
      [
        "no sidecar",
        () => rmSync(file("lsjson-0002.prefix")),
        /0002\.json: no .*lsjson-0002\.prefix beside it/,
      ],
    ];
    for (const [what, breakIt, message] of broken) {
      breakIt();
      const result = await stage.xfer(...all, "--out", "bad");
      expect([what, result.code, result.stdout]).toEqual([what, 2, ""]);
      expect(result.stderr).toMatch(message);
      expect(result.stderr.trimEnd().split("\n").length).toBe(1);
      writeFileSync(file("lsjson-0002.json"), whole);
    }
    mkdirSync(join(stage.dir, "none"));
    expect((await stage.xfer(...args, "--parts-dir", "none", "--out", "bad")).code).toBe(2);
    expect(readdirSync(stage.dir).filter((name) => name.startsWith("bad"))).toEqual([]);
  },
  timeoutMs,
);
