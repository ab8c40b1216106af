import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listParts } from "../../../lib/listing/list-in-parts.ts";
import { runListing } from "../../../lib/listing/lister.ts";
import { forEachPartEntry } from "../../../lib/listing/parts.ts";
import { forEachEntry } from "../../../lib/listing/read-entries.ts";
import type { ListingRequest } from "../../../lib/listing/request.ts";
import { quoteWords } from "../../../lib/system/shell-words.ts";
import { controlNames, hostileNames } from "../../data/hostile-names.ts";
import { S3Endpoint } from "../../s3/endpoint.ts";
import { temporaryDirectory, timeoutMs } from "../../stage/harness.ts";

const listers = 4;

/** Lists a bucket of these keys, divided at the first chance and serially; returns the paths of both, sorted. */
async function bothWays(keys: readonly string[], pageObjects = 4) {
  using dir = temporaryDirectory();
  await using endpoint = await S3Endpoint.start({ buckets: ["data"] });
  for (const key of keys) endpoint.put("data", key, "x");
  const configPath = join(dir.path, "rclone.conf");
  writeFileSync(configPath, endpoint.rcloneSection("src"), { mode: 0o600 });
  const lister = {
    ...{ runtime: "host" as const, image: undefined, configPath, confInContainer: "/none", pyxisExtra: [] },
    ...{ cpus: 1, verbosity: 0, runId: "test", errorDir: dir.path, stop: new AbortController().signal },
  };
  const request: ListingRequest = {
    ...{ root: "src:data", kind: "s3", side: "source", recursive: true, filesOnly: true, fastList: true },
    ...{ modtime: "server", hash: true, extraFlags: ["--s3-list-chunk", String(pageObjects)] },
  };
  const serial: string[] = [];
  await runListing(lister, {
    ...{ request, empty: "error" },
    consume: async (stream) => {
      await forEachEntry(stream, (entry) => serial.push(entry.Path));
      return { objects: serial.length };
    },
  });
  endpoint.resetCounts();
  endpoint.inject({ kinds: ["LIST"], action: { delayMs: 40 } });
  const partsDir = join(dir.path, "m.parts");
  const listed = await listParts(lister, {
    ...{ request, listers, partsDir, absentAllowed: false, unlistable: "fails", atOnce: true },
    onProgress: () => {},
  });
  const divided: string[] = [];
  await forEachPartEntry(listed.parts, (entry) => divided.push(entry.Path));
  listed.remove();
  expect(existsSync(partsDir)).toBe(false);
  const { counts } = endpoint;
  return { serial: serial.sort(), divided: divided.sort(), parts: listed.parts, counts };
}

test(
  "a listing that is divided wherever it can be has the paths of a serial one",
  async () => {
    const names = [...hostileNames(), ...controlNames].filter((name) => !name.includes("/"));
    const all = [...names, "-", "--", "[a-c]*?{x,y}", "$(touch x)", "#", "a b ", " a", "...", "..z"];
    const hostile = all.flatMap((name) => [`${name}/file`, `safe/${name}/deep/file`, `safe/${name}`]);
    const plain = ["a", "a-b", "a b", "a.b", "é", "😀", "\ue000", "<&>", 'q"', "back\\slash"];
    const deep = plain.flatMap((one) =>
      plain.flatMap((two) => [`${one}/${two}/x`, `${one}/${two}/y/z`, `${one}/${two}`, `${one}-`]),
    );
    for (const [keys, isDivided] of [
      [[...new Set(deep)], true],
      [[...new Set([...deep, "m/", "m/x", "only/", "only/p", "zz/a//b", "zz/a/b"])], true],
      [[...new Set(hostile)], false],
      [["a//b", "a/b", "x/y", "/lead", ...plain.map((name) => `${name}/1`)], false],
    ] as const) {
      const { serial, divided, parts, counts } = await bothWays(keys);
      expect(divided).toEqual(serial);
      expect(serial.length).toBe(keys.length);
      expect(parts.length > 1).toBe(isDivided);
      expect(counts.HEAD).toBe(0);
      expect(counts.maxInFlight).toBeLessThanOrEqual(listers);
    }
  },
  timeoutMs,
);

test(
  "a store that does not list in order is listed in one piece, with nothing lost",
  async () => {
    using dir = temporaryDirectory();
    const entry = (path: string, isDir = false) =>
      JSON.stringify({ Path: path, Name: path.replace(/.*\//, ""), Size: 1, ModTime: "", IsDir: isDir });
    const starts = join(dir.path, "starts");
    const keys = ["a/1", "b/1", "a/2", "c/1", "top"];
    const lines = keys.map((key, i) => `echo '${entry(key)}${i < keys.length - 1 ? "," : ""}'`);
    // It goes on when another listing has taken c, which is when it was divided.
    lines.splice(2, 0, `while [ $(grep -c . ${quoteWords([starts])}) -lt 3 ]; do sleep 0.05; done`);
    const script = [
      ...["#!/bin/sh", `echo "$*" >> ${quoteWords([starts])}`, "echo '['", 'case "$*" in'],
      ...[`*src:data/c/) echo '${entry("1")}' ;;`, "*--recursive*)", ...lines, ";;"],
      ...[`*) echo '${entry("a", true)},'; echo '${entry("b", true)},'; echo '${entry("c", true)},'`],
      ...[`echo '${entry("top")}' ;;`, "esac", "echo ']'", ""],
    ].join("\n");
    mkdirSync(join(dir.path, "bin"));
    writeFileSync(join(dir.path, "bin", "rclone"), script, { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = `${join(dir.path, "bin")}:${path ?? ""}`;
    try {
      const lister = {
        ...{ runtime: "host" as const, image: undefined, configPath: undefined, confInContainer: "/none" },
        ...{ pyxisExtra: [], cpus: 1, verbosity: 0, runId: "test", errorDir: dir.path },
        stop: new AbortController().signal,
      };
      const request: ListingRequest = {
        ...{ root: "src:data", kind: "s3", side: "source", recursive: true, filesOnly: true, fastList: true },
        ...{ modtime: "server", hash: false, extraFlags: [] },
      };
      const listed = await listParts(lister, {
        ...{ request, listers: 2, partsDir: join(dir.path, "m.parts"), absentAllowed: false },
        ...{ unlistable: "fails", atOnce: true, onProgress: () => {} },
      });
      const found: string[] = [];
      await forEachPartEntry(listed.parts, ({ Path }) => found.push(Path));
      expect(found).toEqual(keys);
      expect(readFileSync(starts, "utf8").split("\n").slice(0, -1).length).toBe(4);
    } finally {
      process.env.PATH = path;
    }
  },
  timeoutMs,
);
