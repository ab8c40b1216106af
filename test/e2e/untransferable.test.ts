import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rclones } from "../setup/rclones.ts";
import { Stage, temporaryDirectory, timeoutMs, xfer, xferUnderModes } from "../stage/harness.ts";

interface Line {
  key: string;
  size: number | null;
  reason: string;
}

const named = (manifest: string): Line[] =>
  readFileSync(manifest.replace(/jsonl$/, "untransferable.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
    .sort((a, b) => (a.key < b.key ? -1 : 1));

/** The names of all files below a folder, their bytes read as Latin-1. */
function files(dir: Buffer): string[] {
  return readdirSync(dir, { encoding: "buffer" })
    .flatMap((name) => {
      const path = Buffer.concat([dir, Buffer.from("/"), name]);
      return statSync(path).isDirectory() ? files(path) : [name.toString("latin1")];
    })
    .sort();
}

/** Writes files whose names are bytes; folders below are made. */
function writeBytes(dir: string, contents: Record<string, string>): void {
  for (const [name, body] of Object.entries(contents)) {
    const path = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name, "latin1")]);
    mkdirSync(Buffer.from(dirname(path.toString("latin1")), "latin1"), { recursive: true });
    writeFileSync(path, body);
  }
}

for (const rclone of await rclones()) {
  test(
    `S3 keys that rclone cannot carry are named, and everything else arrives: rclone ${rclone.version}`,
    async () => {
      await using stage = await Stage.start();
      const carried = stage.fill(40, 2_000);
      stage.source.put("data", "/lead", "12");
      stage.source.put("data", "dir/with content/", "123");
      // Carried by newer rclones, and taken for a/b by 1.60.
      stage.source.put("data", "twin/b", "the one", { mtime: new Date(1.7e12) });
      stage.source.put("data", "twin//b", "the other", { mtime: new Date(1.7e12) });
      carried.push("twin/b");
      if (rclone.name === "current") carried.push("twin//b");
      const lost = rclone.name === "current" ? 0 : 1;
      const args = [...stage.runArgs("--num-shards", "3"), "--json"];
      const options = { cwd: stage.dir, env: { PATH: `${rclone.dir}:${process.env.PATH}` } };
      const run = await xfer(args, options);
      expect(run.code).toBe(1);
      await stage.expectEqual(carried);
      const lines = named(join(stage.runDir, "manifest.jsonl"));
      expect(lines.map(({ key, size }) => [key, size])).toEqual([
        ["/lead", 2],
        ["dir/with content/", 3],
        ...(lost > 0 ? [["twin//b", 9]] : []),
      ]);
      const amount = `${2 + lost} objects (${5 + 9 * lost} B)`;
      expect(run.stderr).toContain(`${amount} cannot be transferred and are not in the manifest: see `);
      expect(run.stderr).toContain("src:data//lead: ");
      expect(JSON.parse(run.stdout)).toMatchObject({
        listed: { objects: 44 },
        copied: { objects: 42 - lost },
        failed: { objects: 0 },
        unfinished: { objects: 0 },
        untransferable: { objects: 2 + lost, bytes: 5 + 9 * lost },
      });
      // Told again by the account of a run that has nothing to do, unless that is allowed.
      const again = await xfer(stage.runArgs("--num-shards", "3"), options);
      expect(again.code).toBe(1);
      expect(again.stdout).toMatch(/^untransferable +[23] objects +(?:5|14) B$/m);
      expect(again.stdout).toContain(`named in ${join(stage.runDir, "manifest.untransferable.jsonl")}`);
      expect((await xfer([...args, "--allow-untransferable"], options)).code).toBe(0);
    },
    timeoutMs,
  );

  for (const listers of ["1", "3"]) {
    test(
      `a folder that cannot be listed is one entry, and its neighbours arrive: rclone ${rclone.version}, --list-parallel ${listers}`,
      async () => {
        using dir = temporaryDirectory();
        const at = (name: string) => join(dir.path, name);
        writeBytes(at("in"), {
          "a/1": "one",
          "b/c/2": "two",
          "deny/3": "3",
          "deep/x/deny/4": "4",
          "z/5": "five",
        });
        for (const folder of ["in/deny", "in/deep/x/deny"]) chmodSync(at(folder), 0);
        const { code, stdout, stderr } = await xferUnderModes(
          [
            ...[
              "run",
              "--executor",
              "local",
              "--source",
              at("in"),
              "--dest",
              at("out"),
              "--run-dir",
              at("run"),
            ],
            ...["--num-shards", "2", "--list-parallel", listers, "--json"],
          ],
          { cwd: dir.path, env: { PATH: `${rclone.dir}:${process.env.PATH}` } },
        );
        expect(stderr).toContain("2 objects (0 B) cannot be transferred");
        expect(code).toBe(1);
        expect(files(Buffer.from(at("out")))).toEqual(["1", "2", "5"]);
        const lines = named(at("run/manifest.jsonl"));
        expect(lines.map(({ key, size }) => [key, size])).toEqual([
          ["deep/x/deny", null],
          ["deny", null],
        ]);
        for (const { reason } of lines) expect(reason).toMatch(/^cannot be listed: .*permission denied$/);
        expect(JSON.parse(stdout)).toMatchObject({
          listed: { objects: 5 },
          copied: { objects: 3 },
          untransferable: { objects: 2 },
        });
      },
      timeoutMs,
    );

    test(
      `names that are no UTF-8 are named and never taken for each other: rclone ${rclone.version}, --list-parallel ${listers}`,
      async () => {
        using dir = temporaryDirectory();
        const at = (name: string) => join(dir.path, name);
        writeBytes(at("in"), {
          "M\xfcller": "1",
          "M\xe4ller": "22",
          "M\xef\xbf\xbdller": "333",
          plain: "4444",
          "d/plain": "55555",
          "d\xfc/x": "666666",
        });
        const options = { cwd: dir.path, env: { PATH: `${rclone.dir}:${process.env.PATH}` } };
        const args = ["run", "--executor", "local", "--source", "in", "--dest", "out", "--run-dir", "run"];
        const run = await xfer([...args, "--num-shards", "2", "--list-parallel", listers, "--json"], options);
        expect(run.code).toBe(1);
        expect(files(Buffer.from(at("out")))).toEqual(["plain", "plain"]);
        const lines = named(at("run/manifest.jsonl"));
        expect(lines.filter(({ key }) => key === "M\ufffdller").map(({ size }) => size)).toHaveLength(3);
        expect(lines.some(({ key }) => key.startsWith("d\ufffd"))).toBe(true);
        expect(JSON.parse(run.stdout)).toMatchObject({
          listed: { objects: 6 },
          copied: { objects: 2 },
          untransferable: { objects: 4 },
        });
      },
      timeoutMs,
    );
  }
}

test(
  "two folders that rclone shows under one name: what it says nothing of is one entry",
  async () => {
    using dir = temporaryDirectory();
    const at = (name: string) => join(dir.path, name);
    for (const [name, body] of [
      ["in/\u201b/unseen", "1"],
      ["in/\u201b\u201b/seen twice", "22"],
      ["in/plain", "333"],
    ] as const) {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), body);
    }
    const args = ["run", "--executor", "local", "--source", "in", "--dest", "out", "--run-dir", "run"];
    const run = await xfer([...args, "--num-shards", "1"], { cwd: dir.path });
    expect(run.code).toBe(1);
    expect(files(Buffer.from(at("out")))).toEqual(["plain"]);
    const lines = named(at("run/manifest.jsonl"));
    expect(lines.filter(({ size }) => size === null)).toHaveLength(1);
    expect(lines.find(({ size }) => size === null)?.reason).toContain("looks into one of them");
  },
  timeoutMs,
);

test(
  "a rebased manifest keeps the list, and where nothing can be carried the list is all there is",
  async () => {
    await using stage = await Stage.start();
    stage.source.put("data", "/lead", "12");
    const build = ["manifest", "build", "--runtime", "host", "--rclone-config", stage.conf];
    const roots = ["--source", "src:data", "--dest", "dst:copy"];
    const none = await stage.xfer(...build, ...roots, "--out", "none.jsonl");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("no object under src:data can be transferred: src:data//lead: ");
    expect(readdirSync(stage.dir)).not.toContain("none.jsonl");
    expect(named(join(stage.dir, "none.jsonl")).map(({ key }) => key)).toEqual(["/lead"]);
    stage.source.put("data", "a", "1");
    expect((await stage.xfer(...build, ...roots, "--out", "m.jsonl")).code).toBe(0);
    const rebase = ["manifest", "rebase", "--in", "m.jsonl", "--out", "n.jsonl", "--dest-root", "dst:copy/n"];
    expect((await stage.xfer(...rebase)).code).toBe(0);
    expect(named(join(stage.dir, "n.jsonl"))).toEqual(named(join(stage.dir, "m.jsonl")));
  },
  timeoutMs,
);

for (const rclone of await rclones()) {
  test(
    `an agent copies none of another writer's records that its rclone cannot carry: rclone ${rclone.version}`,
    async () => {
      await using stage = await Stage.start();
      const carries = rclone.name === "current";
      for (const [key, body] of [
        ["a/b", "the one"],
        ["a//b", "the other"],
        ["c", "a third"],
      ] as const) {
        stage.source.put("data", key, body);
      }
      const env = { PATH: `${rclone.dir}:${process.env.PATH}` };
      const record = (path: string, size: number) =>
        JSON.stringify({
          ...{ schema: "xfer.manifest.v1", run_id: "20260101T000000Z_abcdef" },
          ...{ source_root: "src:data", dest_root: "dst:copy", source: `src:data/${path}` },
          ...{ dest: `dst:copy/${path}`, path, size, mtime: null, hashes: {}, etag: null },
          ...{ storage_class: null, meta: {} },
        });
      mkdirSync(stage.runDir);
      writeFileSync(
        join(stage.runDir, "manifest.jsonl"),
        `${[record("a//b", 9), record("a/b", 7), record("c", 7)].join("\n")}\n`,
      );
      const run = await xfer(stage.runArgs("--num-shards", "1", "--json"), { cwd: stage.dir, env });
      const body = async (key: string) => Buffer.from((await stage.dest.get("copy", key)) ?? "").toString();
      expect(await body("a/b")).toBe("the one");
      expect(await body("c")).toBe("a third");
      expect(await body("a//b")).toBe(carries ? "the other" : "");
      expect(run.code).toBe(carries ? 0 : 1);
      const { errors } = JSON.parse(run.stdout) as { errors: { path: string; class: string }[] };
      expect(errors.map(({ path, class: failure }) => [path, failure])).toEqual(
        carries ? [] : [["a//b", "untransferable"]],
      );
    },
    timeoutMs,
  );
}

for (const executor of ["slurm", "local"]) {
  test(
    `a delta with nothing to copy still ends with what cannot be transferred: --executor ${executor}`,
    async () => {
      await using stage = await Stage.start();
      stage.source.put("data", "/lead", "12");
      for (const store of [stage.source, stage.dest]) {
        store.put(store === stage.source ? "data" : "copy", "a", "the same");
      }
      const args = [
        ...["run", "--executor", executor, "--runtime", "host", "--delta", "--source", "src:data"],
        ...["--dest", "dst:copy", "--rclone-config", stage.conf, "--run-dir", stage.runDir],
      ];
      const run = await stage.xfer(...args);
      expect(run.stdout).toContain("nothing to copy");
      expect(run.code).toBe(1);
      expect((await stage.xfer(...args, "--allow-untransferable")).code).toBe(0);
    },
    timeoutMs,
  );
}
