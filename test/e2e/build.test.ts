import { expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { controlNames, hostileNames, listedName } from "../data/hostile-names.ts";
import {
  binary,
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

const fields = [
  ...[
    "schema",
    "run_id",
    "source_root",
    "dest_root",
    "source",
    "dest",
    "path",
    "size",
    "mtime",
    "hashes",
    "etag",
  ],
  ...["storage_class", "meta"],
];

function records(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function buildArgs(stage: Stage, ...more: string[]): string[] {
  return [
    ...["manifest", "build", "--runtime", "host", "--source", "src:data", "--dest", "dst:copy"],
    ...["--rclone-config", stage.conf, "--out", join(stage.dir, "m.jsonl"), ...more],
  ];
}

test(
  "a listing costs one LIST for 1,000 objects and no HEAD, hashes included",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(2_500, 1_000);
    const result = await stage.xfer(...buildArgs(stage, "--run-id", "20260101T000000Z_abcdef", "--json"));
    expect(saidIn(result.stderr)).toBe("");
    expect(JSON.parse(result.stdout)).toMatchObject({ schema: "xfer.build.v1", objects: 2_500 });
    expect(stage.source.counts.LIST).toBe(3);
    expect(stage.source.counts.total).toBeLessThanOrEqual(5);
    expect(stage.source.counts.HEAD).toBeLessThanOrEqual(1);
    expect(stage.dest.counts.total).toBe(0);
    const listed = records(join(stage.dir, "m.jsonl"));
    expect(listed.every((record) => Object.keys(record).join() === fields.join())).toBe(true);
    expect(listed.map(({ path }) => path).sort()).toEqual(keys.map(listedName).sort());
    const one = listed.find(({ path }) => path === "sub/deep/x.txt");
    const body = await stage.source.get("data", "sub/deep/x.txt");
    expect(one).toMatchObject({
      schema: "xfer.manifest.v1",
      run_id: "20260101T000000Z_abcdef",
      source_root: "src:data",
      dest_root: "dst:copy",
      source: "src:data/sub/deep/x.txt",
      dest: "dst:copy/sub/deep/x.txt",
      size: body?.length,
      hashes: { md5: new Bun.CryptoHasher("md5").update(body ?? "").digest("hex") },
    });
    const sidecar = JSON.parse(readFileSync(join(stage.dir, "m.jsonl.progress"), "utf8"));
    expect(sidecar.files_listed).toBe(2_500);
  },
  timeoutMs,
);

test(
  "hostile names are listed as rclone shows them",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "in", "sub", "deep"), { recursive: true });
    const names = [...hostileNames(), ...controlNames];
    for (const name of names) writeFileSync(join(dir.path, "in", name), "x");
    const args = ["manifest", "build", "--runtime", "host", "--source", "in", "--dest", "out", "--out", "m"];
    expect((await xfer(args, { cwd: dir.path })).code).toBe(0);
    const found = records(join(dir.path, "m")).map(({ path }) => String(path));
    expect(found.sort()).toEqual(names.map(listedName).sort());
  },
  timeoutMs,
);

test(
  "a listing that fails leaves no manifest, and an error log that says why",
  async () => {
    await using stage = await Stage.start();
    stage.fill(1_500, 100);
    // The second page of the listing never comes.
    let pages = 0;
    stage.source.inject({ kinds: ["LIST"], match: () => ++pages > 1, action: "forbidden" });
    const result = await stage.xfer(...buildArgs(stage));
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^xfer: listing src:data failed: .*AccessDenied.* \(details: .*\)\n$/);
    expect(readdirSync(stage.dir).sort()).toEqual(["rclone.conf", "xfer-err"]);
    const [name = ""] = readdirSync(join(stage.dir, "xfer-err"));
    const log = readFileSync(join(stage.dir, "xfer-err", name), "utf8");
    expect(log).toContain("command: rclone lsjson ");
    expect(log).toContain("== SLURM environment ==");
    expect(log).toContain("AccessDenied");
    expect(log).not.toContain(stage.source.secretAccessKey);
  },
  timeoutMs,
);

test(
  "rclone killed in mid-listing, and xfer stopped in mid-listing: no manifest, no process",
  async () => {
    await using stage = await Stage.start();
    stage.fill(1_500, 100);
    let pages = 0;
    stage.source.inject({ kinds: ["LIST"], match: () => ++pages > 1, action: "stall" });
    const killed = startXfer(buildArgs(stage), { cwd: stage.dir });
    await until("the second page to be asked for", () => stage.source.counts.LIST > 1);
    const lister = processesWith("lsjson").filter(
      (pid) => processesWith(stage.conf).includes(pid) && pid !== killed.pid,
    );
    for (const pid of lister) kill(pid, "SIGKILL");
    const result = await killed.result;
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("the listing ended early, after ");
    for (const [signal, code] of [
      ["SIGTERM", 75],
      ["SIGINT", 130],
    ] as const) {
      const asked = stage.source.counts.LIST;
      const stopped = startXfer(buildArgs(stage), { cwd: stage.dir });
      await until("the listing to hang", () => stage.source.counts.LIST > asked);
      kill(stopped.pid, signal);
      expect((await stopped.result).code).toBe(code);
    }
    expect(existsSync(join(stage.dir, "m.jsonl"))).toBe(false);
    expect(readdirSync(stage.dir).filter((name) => name.startsWith("m.jsonl"))).toEqual([]);
    await until("every rclone to end", () => processesWith(stage.conf).length === 0);
  },
  timeoutMs,
);

test(
  "a prefix with nothing in it is an error, not an empty success",
  async () => {
    await using stage = await Stage.start();
    stage.fill(5);
    const result = await stage.xfer(...buildArgs(stage, "--source", "src:data/typo"));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("no object was found under src:data/typo: check the bucket and prefix");
    expect(existsSync(join(stage.dir, "m.jsonl"))).toBe(false);
  },
  timeoutMs,
);

test(
  "symbolic links are counted in a warning; flags for lsjson arrive",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "in"));
    writeFileSync(join(dir.path, "in", "file"), "x");
    symlinkSync("file", join(dir.path, "in", "link"));
    const args = ["manifest", "build", "--runtime", "host", "--source", "in", "--dest", "out", "--out"];
    const plain = await xfer([...args, "m1"], { cwd: dir.path });
    expect(plain.stdout).toBe("m1: 1 object, 1 B\n");
    expect(plain.stderr).toContain("warning: 1 entry is not in the manifest");
    const followed = await xfer([...args, "m2", "--extra-lsjson-flags", "-L"], { cwd: dir.path });
    expect(followed.stdout).toBe("m2: 2 objects, 2 B\n");
    const untimed = await xfer([...args, "m3", "--no-modtime", "--no-recursive"], { cwd: dir.path });
    expect(untimed.code).toBe(0);
    expect(records(join(dir.path, "m3"))).toMatchObject([{ path: "file", mtime: null, hashes: {} }]);
  },
  timeoutMs,
);

test(
  "memory does not grow with the listing",
  async () => {
    using dir = temporaryDirectory();
    // Links to one file: making 60,000 files takes a minute on some filesystems.
    const one = join(dir.path, "one");
    writeFileSync(one, "");
    for (let i = 0; i < 60; i++) {
      mkdirSync(join(dir.path, "in", `d${i}`), { recursive: true });
      for (let j = 0; j < 1_000; j++) linkSync(one, join(dir.path, "in", `d${i}`, `file-${j}`));
    }
    const peak = async (source: string) => {
      const argv = [
        "manifest",
        "build",
        "--runtime",
        "host",
        "--source",
        source,
        "--dest",
        "out",
        "--out",
        `m-${source.length}`,
      ];
      const child = Bun.spawn([binary, ...argv], { cwd: dir.path, stdout: "pipe", stderr: "pipe" });
      expect(await child.exited).toBe(0);
      return child.resourceUsage()?.maxRSS ?? Number.POSITIVE_INFINITY;
    };
    const small = await peak("in/d1");
    const large = await peak("in");
    // 60,000 records are 20 MB of manifest; the whole process stays far below a second copy of its start size.
    expect(large).toBeLessThan(small + 60 * 1024 * 1024);
  },
  timeoutMs,
);

test(
  "a filter in the environment is said: what it leaves out is not silently lost",
  async () => {
    await using stage = await Stage.start();
    const keys = stage.fill(20, 1_000);
    stage.source.put("data", "left.out", "x");
    const env = { RCLONE_EXCLUDE: "*.out" };
    const result = await xfer(buildArgs(stage), { cwd: stage.dir, env });
    expect(result.code).toBe(0);
    expect(result.stderr).toContain(
      "RCLONE_EXCLUDE in the environment: what rclone leaves out for it is not in the manifest",
    );
    expect(records(join(stage.dir, "m.jsonl"))).toHaveLength(keys.length);
  },
  timeoutMs,
);
