import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { listBinaries, parseBinaries, removeUnused } from "../../../lib/cluster/clean.ts";
import { type FarEnd, thisHost } from "../../../lib/cluster/far-end.ts";
import { quoteWord } from "../../../lib/system/shell-words.ts";
import { temporaryDirectory } from "../../stage/harness.ts";

const stop = new AbortController().signal;
const old = "xfer-0.1.0-aaaaaaaaaaaa";
const used = "xfer-0.1.1-bbbbbbbbbbbb";
const current = "xfer-0.2.0-cccccccccccc";

test.each([
  ["one that nothing names", `9 ./${old}\n== used\n`, [{ name: old, bytes: 9, keptFor: undefined }]],
  ["this version's", `9 ./${current}\n== used\n`, [{ name: current, bytes: 9, keptFor: "this xfer" }]],
  [
    "one that a run names by another path to the same folder",
    `9 ./${used}\n== used\n/gpfs/home/me/.xfer/bin/${used}\n`,
    [{ name: used, bytes: 9, keptFor: "a run or a command" }],
  ],
  [
    "one that a session runs",
    `9 ./${used}\n== used\n{"words":["/r/.xfer/bin/${used}","run"]}\n`,
    [{ name: used, bytes: 9, keptFor: "a run or a command" }],
  ],
  [
    "a part of one that arrived in the meantime",
    `5 ./${used}.part\n== used\n/r/.xfer/bin/${used}\n`,
    [{ name: `${used}.part`, bytes: 5, keptFor: undefined }],
  ],
  [
    "a part of this version's",
    `5 ./${current}.part\n== used\n`,
    [{ name: `${current}.part`, bytes: 5, keptFor: "this xfer" }],
  ],
  ["files that are not xfer's own", "5 ./xfer-notes.txt\n5 ./xfer-0.1.0-zz\n== used\n", []],
  ["nothing", "== used\n", []],
] as [string, string, ReturnType<typeof parseBinaries>][])("%s", (_, printed, binaries) => {
  expect(parseBinaries(printed, current)).toEqual(binaries);
});

describe("a run root", () => {
  let dir: ReturnType<typeof temporaryDirectory>;
  const path = (...parts: string[]) => join(dir.path, ...parts);
  const put = (file: string, text = "x") => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), text);
  };
  beforeEach(() => {
    dir = temporaryDirectory("run root 'q' $HOME ");
    for (const name of [old, used, current]) put(`.xfer/bin/${name}`);
  });
  afterEach(() => dir[Symbol.dispose]());

  const clean = async () => {
    const binaries = await listBinaries(thisHost(), dir.path, current, stop);
    const gone = await removeUnused(thisHost(), dir.path, binaries, stop);
    return gone.map(({ name }) => name).sort();
  };
  const left = () => readdirSync(path(".xfer/bin")).sort();

  test("loses only the binaries that no run names, however deep the run lies", async () => {
    put("2026/set's run/bin/agent-path", `${path(".xfer/bin", used)}\n`);
    put("other/bin/xfer", "a copy of its own");
    put(".xfer/bin/notes of mine", "x");
    expect(await clean()).toEqual([old]);
    expect(left()).toEqual(["notes of mine", used, current]);
    expect(await clean()).toEqual([]);
  });

  test("keeps what a run in a folder called logs names, and does not look into a run's own logs", async () => {
    put(`logs/run/bin/agent-path`, `${path(".xfer/bin", used)}\n`);
    put("run/config.resolved.json", "{}");
    put("run/logs/bin/agent-path", `${path(".xfer/bin", old)}\n`);
    expect(await clean()).toEqual([old]);
  });

  test("loses a part that nobody has added to for days, and keeps one that may be arriving", async () => {
    const [stale, fresh] = ["xfer-0.1.5-dddddddddddd.part", "xfer-0.1.6-eeeeeeeeeeee.part"];
    const copying = "xfer-0.1.5-dddddddddddd.4711";
    put(`.xfer/bin/${stale}`);
    put(`.xfer/bin/${copying}`);
    put(`.xfer/bin/${fresh}`);
    const before = new Date(Date.now() - 3 * 86_400_000);
    utimesSync(path(".xfer/bin", stale), before, before);
    expect(await clean()).toEqual([old, used, stale]);
    expect(left()).toEqual([copying, fresh, current]);
    utimesSync(path(".xfer/bin", copying), before, before);
    expect(await clean()).toEqual([copying]);
    expect(left()).toEqual([fresh, current]);
  });

  test("that has no binary yet is no error; one that is not there is named", async () => {
    using empty = temporaryDirectory();
    expect(await listBinaries(thisHost(), empty.path, current, stop)).toEqual([]);
    await expect(listBinaries(thisHost(), path("gone"), current, stop)).rejects.toThrow(
      /gone.*nothing was removed/,
    );
  });

  test("of which a part cannot be looked into keeps all", async () => {
    put("run/bin/agent-path", "x");
    chmodSync(path("run"), 0o000);
    // Root would read it all the same.
    const words = process.getuid?.() === 0 ? "setpriv --bounding-set=-all --inh-caps=-all -- " : "";
    const far: FarEnd = {
      host: "far",
      run: (script, options) => thisHost().run(`${words}sh -c ${quoteWord(script)}`, options),
    };
    const listed = listBinaries(far, dir.path, current, stop);
    await expect(listed).rejects.toThrow(/far:.*run.*Permission denied.*nothing was removed/);
    chmodSync(path("run"), 0o755);
    expect(existsSync(path(".xfer/bin", old))).toBeTrue();
  });
});
