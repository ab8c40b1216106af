import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { untransferablePath } from "../../lib/manifest/untransferable.ts";
import { listedName } from "../data/hostile-names.ts";
import { binary, Stage, timeoutMs } from "../stage/harness.ts";

interface Row {
  path: string;
  size: number;
  mtime: string | null;
  hashes: Record<string, string>;
  etag: string | null;
  storage_class: string | null;
}

const records = (path: string) =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
const byPath = (rows: Row[]) => rows.sort((a, b) => (a.path < b.path ? -1 : 1));

const roots = ["--source", "src:data", "--dest", "dst:copy", "--run-id", "same"];
const importArgs = (...more: string[]) => ["manifest", "import", ...roots, ...more];

/** The keys in the list beside a manifest of what cannot be carried. */
const refusedBy = (path: string) =>
  records(untransferablePath(path))
    .map((line) => (line as { key?: string }).key)
    .sort();

/** A key that rclone 1.60, which lists here, does not carry; newer ones do, and an import does not know which will copy. */
const carriedByNewer = "a//b";

/** A source with hostile keys, and the manifest that a listing gives; three keys are none that rclone can carry. */
async function listed(): Promise<{ stage: Stage; keys: string[]; rows: Row[] }> {
  const stage = await Stage.start();
  const keys = stage.fill(300, 1_000);
  for (const key of ["a+b c%20d", 'quo"te,comma', "./dot", "a//b", "\u240a\u201b", "\u240a", "del\x7f"]) {
    stage.source.put("data", key, "x");
    keys.push(key);
  }
  const args = ["manifest", "build", "--runtime", "host", ...roots, "--rclone-config", stage.conf];
  expect(await stage.xfer(...args, "--out", "built")).toMatchObject({ code: 0 });
  expect(refusedBy(join(stage.dir, "built"))).toEqual(["a//b", "\u201b\u240a\u201b\u201b", "\uff0e/dot"]);
  stage.source.resetCounts();
  return { stage, keys, rows: byPath(records(join(stage.dir, "built"))) };
}

/** A key as S3 Inventory writes it. */
const inventoryKey = (key: string) => encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");

test(
  "an S3 Inventory gives the records of a listing, hostile keys included",
  async () => {
    const { stage, keys, rows } = await listed();
    await using _ = stage;
    const row = (key: string, more = "true,false") => {
      const head = stage.source.head("data", key);
      const time = head?.modified.toISOString();
      return `"data","${inventoryKey(key)}",${more},"${head?.size}","${time}","${head?.etag}","STANDARD"\r\n`;
    };
    const gone = `"data","gone",true,true,"","2026-01-01T00:00:00.000Z","",""\r\n`;
    const text = keys.map((key) => row(key)).join("") + row(keys[3] ?? "", "false,false") + gone;
    // An inventory comes in several packed files, which may be joined.
    const half = text.indexOf("\n", text.length / 2) + 1;
    const packed = Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))]);
    writeFileSync(join(stage.dir, "i.csv.gz"), packed);
    writeFileSync(join(stage.dir, "i.csv"), text);
    const columns = "Bucket, Key, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass";
    const format = ["--format", "s3-inventory", "--columns", columns, "--rclone-config", stage.conf];
    for (const name of ["i.csv.gz", "i.csv"]) {
      const done = await stage.xfer(...importArgs(...format, "--in", name, "--out", `${name}.m`));
      expect(done.stderr).toContain("left out: 1 versions that are not the latest");
      expect(done.stderr).toContain("left out: 1 delete markers");
      expect(done.code).toBe(0);
      const refused = refusedBy(join(stage.dir, "built"));
      expect(refused).toContain(carriedByNewer);
      expect([...refusedBy(join(stage.dir, `${name}.m`)), carriedByNewer].sort()).toEqual(refused);
      const all = byPath(records(join(stage.dir, `${name}.m`)));
      expect(all.map(({ path }) => path)).toContain(carriedByNewer);
      const found = all.filter(({ path }) => path !== carriedByNewer);
      const plain = ({ path, size, hashes }: Row) => ({ path, size, hashes });
      expect(found.map(plain)).toEqual(rows.map(plain));
      expect(found.map(({ mtime }) => Date.parse(mtime ?? ""))).toEqual(
        rows.map(({ mtime }) => Date.parse(mtime ?? "")),
      );
      expect(found.every(({ etag, hashes }) => etag === hashes.md5)).toBe(true);
      expect(found.every(({ storage_class }) => storage_class === "STANDARD")).toBe(true);
    }
    const below = importArgs(...format, "--in", "i.csv", "--out", "below", "--source", "src:data/set-1");
    expect((await stage.xfer(...below)).stderr).toContain("keys that are not below src:data/set-1");
    const prefix = "set-1/";
    expect(records(join(stage.dir, "below")).map(({ path }) => prefix + path)).toEqual(
      keys.filter((key) => key.startsWith(prefix)),
    );
    expect(stage.source.counts.total).toBe(0);
  },
  timeoutMs,
);

test(
  "rclone lsf --csv gives the records of a listing, from a file and from stdin",
  async () => {
    const { stage, rows } = await listed();
    await using _ = stage;
    const env = { PATH: process.env.PATH ?? "", HOME: stage.dir };
    const flags = ["--config", stage.conf, "--csv", "--use-server-modtime", "-R", "src:data"];
    for (const columns of ["pst", "hsp"]) {
      const lsf = Bun.spawn(["rclone", "lsf", "--format", columns, ...flags], { env, stderr: "ignore" });
      const text = await lsf.stdout.text();
      const args = importArgs("--format", "lsf", "--columns", columns, "--in", "-", "--out", columns).concat(
        ...["--rclone-config", stage.conf],
      );
      const child = Bun.spawn([binary, ...args], {
        cwd: stage.dir,
        env,
        stdin: new Blob([text]),
        stderr: "pipe",
      });
      expect(await child.exited).toBe(0);
      expect(await child.stderr.text()).toMatch(/left out: \d+ directories/);
      const plain = ({ path, size, hashes, mtime }: Row) => ({
        path,
        size,
        hashes: columns === "hsp" ? hashes : {},
        mtime: columns === "pst" ? Math.floor(Date.parse(mtime ?? "") / 1000) : null,
      });
      // Without --files-only rclone leaves out keys that fit no directory tree; with it they are there.
      const all = byPath(records(join(stage.dir, columns)));
      const found = all.filter(({ path }) => path !== carriedByNewer).map(plain);
      expect(found.length).toBeGreaterThan(300);
      const paths = new Set(found.map(({ path }) => path));
      expect(found).toEqual(rows.filter(({ path }) => paths.has(path)).map(plain));
    }
  },
  timeoutMs,
);

test(
  "a list of keys: one listing tells the sizes; a key that is not there is named",
  async () => {
    const { stage, keys, rows } = await listed();
    await using _ = stage;
    const wanted = keys
      .filter((_key, i) => i % 3 === 0)
      .map(listedName)
      .map((key) => key.replace(/^\./, "\uff0e"));
    writeFileSync(join(stage.dir, "keys"), `${wanted.join("\n")}\n${wanted[0]}\n`);
    const args = importArgs("--format", "keys", "--runtime", "host", "--rclone-config", stage.conf);
    for (const parallel of ["1", "3"]) {
      const out = ["--in", "keys", "--out", `m${parallel}`, "--list-parallel", parallel];
      expect(await stage.xfer(...args, ...out)).toMatchObject({ code: 0 });
      expect(byPath(records(join(stage.dir, `m${parallel}`)))).toEqual(
        rows.filter(({ path }) => wanted.includes(path)),
      );
    }
    expect(stage.source.counts.HEAD).toBe(0);
    writeFileSync(join(stage.dir, "keys"), `${wanted[0]}\nno such key\n${wanted[1]}\nnor this\n`);
    for (const parallel of ["1", "3"]) {
      const out = ["--in", "keys", "--out", "none", "--list-parallel", parallel];
      const missing = await stage.xfer(...args, ...out);
      expect(missing.stderr).toContain(
        "xfer: 2 of 4 keys of keys are not at src:data, the first: keys:2: no such key\n",
      );
      expect(missing.code).toBe(1);
    }
    expect(readdirSync(stage.dir).filter((name) => name.startsWith("none"))).toEqual([]);
  },
  timeoutMs,
);

test(
  "a bad row: file and line, exit 2, and no output",
  async () => {
    await using stage = await Stage.start();
    const inventory = ["--format", "s3-inventory", "--columns", "Bucket,Key,Size"];
    const lsf = ["--format", "lsf"];
    const keys = ["--format", "keys", "--runtime", "host", "--rclone-config", "rclone.conf"];
    const packed = gzipSync("a,1,\n".repeat(10_000)).subarray(0, 50);
    const cases: [readonly string[], string | Uint8Array, RegExp][] = [
      [inventory, "data,a,1\ndata,b\n", /^xfer: in:2: 2 fields, not 3\n$/],
      [inventory, "data,a,1\ndata,b,\n", /^xfer: in:2: the size is no whole number: ""\n$/],
      [inventory, "data,a%zz,1\n", /^xfer: in:1: the key is not URL-encoded: a%zz\n$/],
      [inventory, "other,a,1\n", /^xfer: in:1: the object is in bucket other, /],
      [inventory, "data,%2Fa,1\n", /^xfer: in: no object in it can be transferred: \/a: /],
      [
        ["--format", "s3-inventory", "--columns", "Key"],
        "a\n",
        /^xfer: --columns: Key has no column size\n$/,
      ],
      [["--format", "s3-inventory"], "a\n", /^xfer: --columns is needed/],
      [["--format", "lsf", "--columns", "pt"], "a\n", /^xfer: --columns: pt has no s/],
      [["--format", "lsf", "--columns", "psx"], "a\n", /^xfer: --columns: .* no format letter x\n$/],
      [lsf, 'a,1,\n"b,2,\nc', /^xfer: in:2: not a CSV row: a quote is not closed\n$/],
      [lsf, "../b,2,\n", /^xfer: in: no object in it can be transferred: \.\.\/b: .*'\.\.'/],
      [lsf, "a,1,yesterday\n", /^xfer: in:1: the time cannot be read: yesterday\n$/],
      [lsf, "a,-1,\n", /^xfer: in:1: the size is no whole number: "-1"\n$/],
      [lsf, "d/,-1,\n", /^xfer: in: no object in it/],
      [lsf, "", /^xfer: in: no object in it/],
      [lsf, packed, /^xfer: in: not whole, or not gzip: /],
      [keys, "\n", /^xfer: in: no key in it\n$/],
      [["--format", "keys"], "a\n", /^xfer: --rclone-image is needed/],
    ];
    for (const [format, text, message] of cases) {
      writeFileSync(join(stage.dir, "in"), text);
      const result = await stage.xfer(...importArgs(...format, "--in", "in", "--out", "out"));
      expect(result.stderr).toMatch(message);
      expect(result.code).toBe(2);
    }
    const none = await stage.xfer(...importArgs(...lsf, "--in", "none", "--out", "out"));
    expect(none).toMatchObject({ code: 2, stderr: "xfer: none: no such file\n" });
    expect(readdirSync(stage.dir).sort()).toEqual(["in", "rclone.conf"]);
  },
  timeoutMs,
);
