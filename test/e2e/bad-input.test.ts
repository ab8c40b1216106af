import { describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { hostileManifest } from "../data/hostile-names.ts";
import { saidIn, temporaryDirectory, timeoutMs, xfer } from "../stage/harness.ts";

/** A directory with a manifest, its shards, a rendered run and broken variants of them. */
async function scene(): Promise<{ path: string } & Disposable> {
  const dir = temporaryDirectory();
  const at = (name: string) => join(dir.path, name);
  mkdirSync(at("run"));
  copyFileSync(hostileManifest, at("run/manifest.jsonl"));
  const lines = readFileSync(hostileManifest, "utf8").trimEnd().split("\n");
  writeFileSync(at("empty.jsonl"), "");
  writeFileSync(at("torn.jsonl"), `${lines.slice(0, 5).join("\n")}\n${lines[5]?.slice(0, 80)}`);
  writeFileSync(at("foreign.jsonl"), `${lines[0]}\n{"schema":"other.v1","path":"a"}\n${lines[1]}\n`);
  writeFileSync(at("dotdot.jsonl"), `${lines[0]}\n${lines[1]?.replace('"path":"', '"path":"../')}\n`);
  writeFileSync(at("absolute.jsonl"), `${lines[0]?.replace('"path":"', '"path":"/')}\n`);
  writeFileSync(at("mixed.jsonl"), `${lines[0]}\n${lines[1]?.replaceAll("s3dst:bucket", "other:bucket")}\n`);
  writeFileSync(at("relative.jsonl"), `${lines[0]?.replaceAll("s3dst:bucket", "sub")}\n`);
  writeFileSync(at("rclone.conf"), "[s3src]\ntype = s3\n[s3dst]\ntype = s3\n", { mode: 0o600 });
  const run = async (args: string[]) => {
    const result = await xfer(args, { cwd: dir.path });
    if (result.code !== 0) throw new Error(result.stderr);
  };
  await run([
    "manifest",
    "shard",
    "--in",
    "run/manifest.jsonl",
    "--outdir",
    "run/shards",
    "--num-shards",
    "3",
  ]);
  await run([
    "slurm",
    "render",
    "--run-dir",
    "run",
    "--rclone-image",
    "/i.sqsh",
    "--rclone-config",
    "rclone.conf",
    "--agent-path",
    "/x",
  ]);
  return dir;
}

const render = [
  "slurm",
  "render",
  "--run-dir",
  "run",
  "--rclone-image",
  "/i.sqsh",
  "--rclone-config",
  "rclone.conf",
];
const shardTo = (file: string) => ["manifest", "shard", "--in", file, "--outdir", "out", "--num-shards", "2"];
const build = [
  "manifest",
  "build",
  "--runtime",
  "host",
  "--source",
  "s3src:b",
  "--dest",
  "s3dst:b",
  "--out",
  "new.jsonl",
];
const local = ["run", "--executor", "local", "--source", "s3src:b", "--dest", "s3dst:b", "--run-dir", "new"];

/** [what is wrong, arguments, exit code, what the one line says] */
const rows: [string, string[], number, RegExp][] = [
  ["unknown command", ["frob"], 2, /unknown command "frob" after "xfer": it has run, .* \(see xfer --help\)/],
  ["a name of Object.prototype", ["constructor"], 2, /unknown command "constructor"/],
  [
    "a command of another group",
    ["build"],
    2,
    /unknown command "build" after "xfer": did you mean xfer manifest build\?/,
  ],
  [
    "a flag with letters swapped",
    ["manifest", "shard", "--outidr", "x"],
    2,
    /unknown flag --outidr: did you mean --outdir\? \(see xfer manifest shard --help\)/,
  ],
  [
    "another command's flag",
    ["manifest", "shard", "--executor", "local"],
    2,
    /unknown flag --executor: it is a flag of xfer run, xfer verify and xfer doctor/,
  ],
  ["quiet and verbose", ["agent", "--run-dir", "none", "-qv"], 2, /--quiet and --verbose exclude each other/],
  [
    "a color that is none",
    ["agent", "--run-dir", "none", "--color", "red"],
    2,
    /--color: must be one of auto/,
  ],
  ["help of what is no command", ["help", "manifest", "frob"], 2, /there is no command "manifest frob"/],
  [
    "a man page of a command misspelt",
    ["man", "biuld"],
    2,
    /there is no command "biuld": did you mean xfer manifest build\?/,
  ],
  [
    "unknown flag",
    ["manifest", "shard", "--frob"],
    2,
    /unknown flag --frob \(see xfer manifest shard --help\)/,
  ],
  ["unknown short flag", ["manifest", "build", "-z"], 2, /unknown flag -z/],
  ["extra argument", [...shardTo("run/manifest.jsonl"), "more"], 2, /unexpected argument "more"/],
  ["missing flag", ["manifest", "shard", "--in", "x"], 2, /--outdir is missing/],
  ["missing value at the end", ["agent", "--run-dir"], 2, /--run-dir needs a value/],
  ["missing value before a flag", ["agent", "--run-dir", "--shard", "1"], 2, /--run-dir needs a value/],
  ["a value for a switch", ["slurm", "submit", "--run-dir", "run", "--json=yes"], 2, /--json takes no value/],
  [
    "no number",
    [...shardTo("run/manifest.jsonl").slice(0, -1), "many"],
    2,
    /--num-shards: must be auto or a whole number from 1 to 1000000, not "many"/,
  ],
  [
    "zero shards",
    [...shardTo("run/manifest.jsonl").slice(0, -1), "0"],
    2,
    /--num-shards: must be at least 1, not "0"/,
  ],
  [
    "unknown word",
    [...shardTo("run/manifest.jsonl"), "--strategy", "best"],
    2,
    /--strategy: must be one of bytes, count, hash/,
  ],
  ["no manifest", shardTo("none.jsonl"), 2, /none\.jsonl: no such manifest/],
  ["empty manifest", shardTo("empty.jsonl"), 2, /empty\.jsonl: the manifest is empty/],
  [
    "torn line",
    shardTo("torn.jsonl"),
    2,
    /torn\.jsonl:6: not a manifest record: the line is torn or is not JSON/,
  ],
  [
    "foreign line",
    shardTo("foreign.jsonl"),
    2,
    /foreign\.jsonl:2: not a record of schema xfer\.manifest\.v1: field schema/,
  ],
  ["path with ..", shardTo("dotdot.jsonl"), 2, /dotdot\.jsonl:2: .*the path has a '\.\.' component/],
  ["absolute path", shardTo("absolute.jsonl"), 2, /absolute\.jsonl:1: .*the path is absolute/],
  ["two transfers in one manifest", shardTo("mixed.jsonl"), 2, /mixed\.jsonl:2: the record has other roots/],
  ["other number of shards", [...render, "--num-shards", "4"], 2, /--num-shards is 4, but .*has 3 shards/],
  [
    "no image",
    ["slurm", "render", "--run-dir", "run", "--rclone-config", "x"],
    2,
    /--rclone-image is needed with --runtime pyxis/,
  ],
  [
    "a flag that the account cannot stand",
    [...render, "--rclone-flags", "--dry-run"],
    2,
    /--dry-run cannot be used here: nothing would be copied/,
  ],
  [
    "a quote that is not closed",
    [...render, "--rclone-flags", "--exclude 'a"],
    2,
    /--rclone-flags: a quote is not closed/,
  ],
  [
    "a manifest with a relative root",
    [...render, "--manifest", "relative.jsonl"],
    2,
    /relative\.jsonl: dest_root: sub\S* is a relative path, .*: xfer manifest rebase makes it absolute/,
  ],
  [
    "a remote that rclone.conf does not have",
    [...render, "--dest-root", "größe:sub"],
    2,
    /--dest-root: names the remote größe, .* is written \.\/größe:sub/,
  ],
  [
    "a credential for srun",
    [...render, "--pyxis-extra", "--export=ALL,AWS_SECRET_ACCESS_KEY=AK"],
    2,
    /--pyxis-extra: --export sets a variable to a value(?!.*AK)/,
  ],
  [
    "a credential in an image",
    [...render, "--rclone-image", "docker://user:AK@registry#image"],
    2,
    /--rclone-image: carries a credential(?!.*AK)/,
  ],
  [
    "a credential for a listing",
    [...build, "--rclone-config", "rclone.conf", "--extra-lsjson-flags", "--s3-sse-customer-key AK"],
    2,
    /--extra-lsjson-flags: --s3-sse-customer-key cannot be used here(?!.*AK)/,
  ],
  [
    "a credential in a root",
    [...render, "--source-root", ":s3,access_key_id=AK:b"],
    2,
    /--source-root: carries a credential \(access_key_id=\.\.\.\)/,
  ],
  [
    "a line break in a job name",
    [...render, "--job-name", "a\nb"],
    2,
    /a control character cannot be in an sbatch option/,
  ],
  [
    "a comma in a path to mount",
    [...render, "--rclone-config", "/data/a,b"],
    2,
    /cannot be mounted by pyxis: \/data\/a,b/,
  ],
  [
    "not a run directory",
    ["agent", "--run-dir", "."],
    2,
    /config\.resolved\.json: no such file: not a rendered run directory/,
  ],
  [
    "no such shard",
    ["agent", "--run-dir", "run", "--shard", "3"],
    2,
    /there is no shard 3: the run has the shards 0 to 2/,
  ],
  ["no shard said", ["agent", "--run-dir", "run"], 2, /--shard is needed outside a Slurm array task/],
  [
    "missing rclone.conf",
    [...local, "--rclone-config", "none.conf"],
    2,
    /--rclone-config: .*none\.conf: no such file \("rclone config" makes one\)/,
  ],
  [
    "verify with slurm",
    ["run", "--verify", "--rclone-image", "/i"],
    2,
    /--verify is for --executor local, --submit or --watch/,
  ],
  ["submit with local", [...local, "--submit"], 2, /--submit is for --executor slurm/],
  [
    "no roots and no manifest",
    ["run", "--executor", "local", "--run-dir", "new"],
    2,
    /--source and --dest are needed/,
  ],
  [
    "other roots than the manifest's",
    [...local, "--run-dir", "run", "--rclone-config", "rclone.conf"],
    2,
    /--source is s3src:b, but run\/manifest\.jsonl was listed with s3src:bucket\/prefix/,
  ],
  [
    "a credential in a source",
    [...build, "--source", ":s3,secret_access_key=AK:b"],
    2,
    /--source: carries a credential \(secret_access_key=\.\.\.\)/,
  ],
  [
    "a missing rclone.conf for a listing here",
    [...build, "--rclone-config", "none.conf"],
    2,
    /none\.conf: no such file/,
  ],
  [
    "a listing in no container",
    build.map((word) => (word === "host" ? "pyxis" : word)),
    2,
    /--rclone-image is needed with --runtime pyxis/,
  ],
  ["a manifest that is there", [...build.slice(0, -1), "run/manifest.jsonl"], 2, /a manifest is immutable/],
];

describe("bad input ends with one line and the documented exit code, and nothing is written", () => {
  for (const [what, args, code, line] of rows) {
    test(
      what,
      async () => {
        using dir = await scene();
        const list = () => readdirSync(dir.path, { recursive: true }).map(String).sort();
        const before = list();
        const result = await xfer(args, { cwd: dir.path });
        expect(result.stderr.trimEnd()).toMatch(line);
        expect(result.stderr.trimEnd().split("\n").length).toBe(1);
        expect(result.stderr).toStartWith("xfer: ");
        expect(result.stdout).toBe("");
        expect(result.code).toBe(code);
        expect(list()).toEqual(before);
      },
      timeoutMs,
    );
  }
});

test(
  "a shard that does not match its digest: exit 2, nothing started, and .fail says so",
  async () => {
    using dir = await scene();
    const shard = join(dir.path, "run", "shards", "shard_000001.jsonl");
    writeFileSync(shard, readFileSync(shard, "utf8").replace("size", "sizE"));
    const result = await xfer(["agent", "--run-dir", "run", "--shard", "1"], { cwd: dir.path });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(
      /^xfer: .*shard_000001\.jsonl: does not match its digest in shards\.meta\.json .*\n$/,
    );
    const fail = JSON.parse(readFileSync(join(dir.path, "run", "state", "shard_1.fail"), "utf8"));
    expect(fail).toMatchObject({ class: "config", final: true, proven: 0 });
    expect(readdirSync(join(dir.path, "run", "state"))).toEqual(["shard_1.fail"]);
  },
  timeoutMs,
);

test(
  "tools that are not there: sbatch and rclone are named, with where they were looked for",
  async () => {
    using dir = await scene();
    const env = { PATH: "/nowhere" };
    const submit = await xfer(["slurm", "submit", "--run-dir", "run"], { cwd: dir.path, env });
    expect(submit.stderr).toBe(
      "xfer: sbatch was not found on PATH (looked in /nowhere): install it here, or put its folder on PATH\n",
    );
    expect(submit.code).toBe(1);
    expect(existsSync(join(dir.path, "run", "submissions.jsonl"))).toBe(false);
    const listed = await xfer([...build, "--rclone-config", "rclone.conf"], { cwd: dir.path, env });
    expect(listed.stderr).toBe(
      "xfer: rclone was not found on PATH (looked in /nowhere): install it here, or put its folder on PATH\n",
    );
    expect(listed.code).toBe(1);
    expect(existsSync(join(dir.path, "new.jsonl"))).toBe(false);
  },
  timeoutMs,
);

test(
  "a rclone.conf for the compute nodes need not exist here: a warning",
  async () => {
    using dir = await scene();
    const result = await xfer([...render.slice(0, -1), "/nodes/rclone.conf", "--agent-path", "/x"], {
      cwd: dir.path,
    });
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("warning: --rclone-config: /nodes/rclone.conf: no such file");
  },
  timeoutMs,
);

test(
  "a run whose shards name one destination is not rendered for another",
  async () => {
    using dir = await scene();
    const before = readFileSync(join(dir.path, "run", "config.resolved.json"), "utf8");
    const other = [...render, "--agent-path", "/x", "--dest-root", "s3dst:elsewhere"];
    const refused = await xfer(other, { cwd: dir.path });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^xfer: --dest-root is s3dst:elsewhere, but run\/shards\/shards\.meta\.json has .*: rebase the manifest .*\n$/,
    );
    expect(readFileSync(join(dir.path, "run", "config.resolved.json"), "utf8")).toBe(before);
  },
  timeoutMs,
);

test(
  "a config.resolved.json that cannot be read: the line says what to do, and doing so helps",
  async () => {
    using dir = await scene();
    const path = join(dir.path, "run", "config.resolved.json");
    const config = readFileSync(path, "utf8");
    const agent = ["agent", "--run-dir", "run", "--shard", "0"];
    const again = [...render, "--agent-path", "/x"];
    const broken: [string, RegExp][] = [
      [config.slice(0, 100), /config\.resolved\.json: is torn or is not JSON: render the run again/],
      [
        config.replace("{", '{"later": 1,'),
        /not of schema xfer\.runconfig\.v1: it has the field later, which .*: render the run again, or use the xfer/,
      ],
      [config.replace('"num_shards": 3', '"num_shards": "3"'), /num_shards .*: render the run again/],
    ];
    for (const [text, line] of broken) {
      writeFileSync(path, text);
      const refused = await xfer(agent, { cwd: dir.path });
      expect(refused.stderr).toMatch(line);
      expect(refused.code).toBe(2);
      expect((await xfer(again, { cwd: dir.path })).code).toBe(0);
    }
    writeFileSync(path, "");
    expect((await xfer(again, { cwd: dir.path })).code).toBe(0);
    rmSync(path);
    expect((await xfer(again, { cwd: dir.path })).code).toBe(0);
  },
  timeoutMs,
);

test(
  "help is on stdout with exit code 0, also for a value that looks like it",
  async () => {
    using dir = await scene();
    for (const args of [["--help"], ["manifest", "--help"], ["run", "--help"], ["slurm", "render", "-h"]]) {
      const result = await xfer(args, { cwd: dir.path });
      expect(result.code).toBe(0);
      expect(result.stdout).toContain("Usage: xfer");
      expect(saidIn(result.stderr)).toBe("");
    }
    expect((await xfer(["--version"], { cwd: dir.path })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const value = await xfer([...render, "--agent-path", "/x", "--pyxis-extra", "--help"], {
      cwd: dir.path,
    });
    expect(value).toMatchObject({ code: 2, stdout: "" });
    expect(value.stderr).toMatch(/^xfer: --pyxis-extra: --help cannot be used here/);
  },
  timeoutMs,
);

test(
  "flag strings arrive as the user wrote them, by --flag value and --flag=value",
  async () => {
    using dir = await scene();
    const flags = `--no-traverse --transfers 8 --exclude 'a "b" $(c)' --user-agent "X: y=z"`;
    const words = ["--no-traverse", "--transfers", "8", "--exclude", 'a "b" $(c)', "--user-agent", "X: y=z"];
    for (const given of [["--rclone-flags", flags], [`--rclone-flags=${flags}`]]) {
      const args = [...render, "--agent-path", "/x", "--pyxis-extra", "--container-workdir=/ -v", ...given];
      const result = await xfer([...args, "--json"], { cwd: dir.path });
      expect(saidIn(result.stderr)).toBe("");
      expect(JSON.parse(result.stdout)).toMatchObject({
        rclone_flags: words,
        pyxis_extra: ["--container-workdir=/", "--verbose"],
      });
    }
  },
  timeoutMs,
);
