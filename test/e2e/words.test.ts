import { beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { quoteDirective } from "../../lib/slurm/batch-script.ts";
import { sbatchExtras } from "../../lib/slurm/sbatch-extras.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { hostileManifest } from "../data/hostile-names.ts";
import { Stage, temporaryDirectory, timeoutMs, xfer, xferUnderModes } from "../stage/harness.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

/** A line break of two characters, as single quotes of a shell leave it. */
const documented = "#SBATCH --account=foo\\n#SBATCH --qos=bar";

describe("what a run is told is checked before anything is listed or written", () => {
  /** [flags of xfer run, what the one line says, exit code] */
  const rows: [string[], RegExp, number?][] = [
    [["--rclone-flags", "--stats 30s --dry-run"], /^xfer: --rclone-flags: --dry-run cannot be used here/],
    [["--add-rclone-flags", "-P --log-file x"], /^xfer: --rclone-flags: --log-file cannot be used here/],
    [["--rclone-flags", "--transfers many"], /^xfer: --rclone-flags: --transfers must be a whole number/],
    [["--extra-lsjson-flags", "--stat"], /^xfer: --extra-lsjson-flags: --stat cannot be used here/],
    [["--sbatch-extras", "foo"], /^xfer: --sbatch-extras: "foo" is no option/],
    [["--sbatch-extras", "#SBATCH --account\\n--qos=bar"], /^xfer: --sbatch-extras: --account has no value/],
    [
      ["--sbatch-extras", "--no-such-option=1"],
      /^xfer: --sbatch-extras: sbatch has no option --no-such-option/,
    ],
    [["--sbatch-extras", "--comment='a\tb'"], /^xfer: a control character cannot be in an sbatch option/],
    [["--pyxis-extra", "foo"], /^xfer: --pyxis-extra: "foo" is no option/],
    [["--time-limit", "abc"], /^xfer: --time-limit: "abc" is no time limit: write minutes, /],
    [["--mem", "lots"], /^xfer: --mem: "lots" is no amount of memory: /],
    [["--partition", ""], /^xfer: --partition: must not be empty/],
    [["--partition", "a b"], /^xfer: --partition: "a b" names no partition/],
    [["--job-name", "a\nb"], /^xfer: --job-name: a control character cannot be in an sbatch option/],
    [["--cpus-per-task", "0"], /^xfer: --cpus-per-task: must be at least 1/],
    [["--array-concurrency", "0"], /^xfer: --array-concurrency: must be at least 1/],
    [["--max-attempts", "0"], /^xfer: --max-attempts: must be at least 1/],
    [["--num-shards", "0"], /^xfer: --num-shards: must be at least 1/],
    [["--num-shards", "5000000"], /^xfer: --num-shards: must be at most 1000000, not "5000000"/],
    [
      ["--time-limit", "1", "--stop-lead", "60"],
      /^xfer: --stop-lead: 60 s is not less than the time limit 1 \(60 s\)/,
    ],
    [["--agent-path", "/a\nb"], /^xfer: --agent-path: has a line break/],
    [["--rclone-config", "none.conf"], /^xfer: --rclone-config: \S.*none\.conf: no such file/],
    [["--run-dir", "rclone.conf/run"], /^xfer: --run-dir: \S.*rclone\.conf is no directory/],
    [
      ["--runtime", "pyxis", "--rclone-image", "none.sqsh"],
      /^xfer: --rclone-image: .*none\.sqsh: no such image here: .*--no-image-check/,
    ],
    [
      ["--runtime", "apptainer", "--rclone-image", "none.sif"],
      /^xfer: --rclone-image: .*none\.sif: no such image here/,
    ],
    [["--submit"], /^xfer: sbatch was not found on PATH/, 1],
  ];

  test(
    "each is refused by name; there is no run directory then, and the source was asked nothing",
    async () => {
      await using stage = await Stage.start();
      stage.fill(3);
      mkdirSync(join(stage.dir, "bin"));
      const env = { PATH: join(stage.dir, "bin") };
      const before = readdirSync(stage.dir, { recursive: true }).sort();
      for (const [flags, line, code = 2] of rows) {
        const args = ["--runtime", "host", "--source", "src:data", "--dest", "dst:copy", "--run-dir", "run"];
        const refused = await xfer(["run", ...args, "--rclone-config", "rclone.conf", ...flags], {
          cwd: stage.dir,
          env,
        });
        expect(refused.stderr, flags.join(" ")).toMatch(line);
        expect(refused.stderr.trimEnd().split("\n"), flags.join(" ")).toHaveLength(1);
        expect(refused, flags.join(" ")).toMatchObject({ code, stdout: "" });
      }
      expect(readdirSync(stage.dir, { recursive: true }).sort()).toEqual(before);
      expect([stage.source.counts.total, stage.dest.counts.total]).toEqual([0, 0]);
    },
    timeoutMs,
  );

  test(
    "a folder that may not be written to is said before the listing, by run, build, verify and shard",
    async () => {
      await using stage = await Stage.start();
      stage.fill(3);
      expect((await stage.xfer(...stage.runArgs("--num-shards", "1"))).code).toBe(0);
      stage.source.resetCounts();
      stage.dest.resetCounts();
      mkdirSync(join(stage.dir, "shut"), { mode: 0o555 });
      Bun.spawnSync(["chmod", "555", stage.runDir]);
      for (const [args, flag] of [
        [stage.runArgs("--run-dir", "shut/run"), "--run-dir"],
        [
          [
            ...["manifest", "build", "--runtime", "host", "--rclone-config", stage.conf],
            ...["--source", "src:data", "--dest", "dst:copy", "--out", "shut/m.jsonl"],
          ],
          "--out",
        ],
        [["verify", "--run-dir", stage.runDir], "--run-dir"],
        [
          [
            ...["manifest", "shard", "--in", join(stage.runDir, "manifest.jsonl"), "--outdir", "shut/s"],
            ...["--num-shards", "1"],
          ],
          "--outdir",
        ],
      ] as const) {
        const refused = await xferUnderModes(args, { cwd: stage.dir });
        expect(refused.stderr).toMatch(
          new RegExp(`^xfer: ${flag}: \\S.* cannot be written \\(EACCES\\): choose a place that can be\\n$`),
        );
        expect(refused.code).toBe(2);
      }
      Bun.spawnSync(["chmod", "755", stage.runDir]);
      expect([stage.source.counts.total, stage.dest.counts.total]).toEqual([0, 0]);
    },
    timeoutMs,
  );
});

describe("the number of shards", () => {
  test(
    "above the number of records it is refused by name, and nothing is written; the default is not",
    async () => {
      using dir = temporaryDirectory();
      copyFileSync(hostileManifest, join(dir.path, "m.jsonl"));
      const records = readFileSync(hostileManifest, "utf8").trimEnd().split("\n").length;
      const shard = (count: number) =>
        xfer(["manifest", "shard", "--in", "m.jsonl", "--outdir", "s", "--num-shards", String(count)], {
          cwd: dir.path,
        });
      const refused = await shard(records + 1);
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toBe(
        `xfer: --num-shards is ${records + 1}, but m.jsonl has ${records} records: use at most ${records}, or auto\n`,
      );
      expect(readdirSync(dir.path)).toEqual(["m.jsonl"]);
      expect(await shard(records)).toMatchObject({ code: 0, stderr: "" });

      mkdirSync(join(dir.path, "in"));
      for (const name of ["a", "b", "c"]) writeFileSync(join(dir.path, "in", name), name);
      const args = ["run", "--runtime", "host", "--source", "in", "--dest", "out", "--run-dir", "r"];
      const large = await xfer([...args, "--num-shards", "512"], { cwd: dir.path });
      expect(large.code).toBe(2);
      expect(large.stderr).toEndWith(
        "xfer: --num-shards is 512, but r/manifest.jsonl has 3 records: use at most 3, or auto\n",
      );
      expect(existsSync(join(dir.path, "r", "shards"))).toBe(false);
      // The default of an array is more than that, too.
      for (let i = 0; i < 2; i++) expect((await xfer(args, { cwd: dir.path })).code).toBe(0);
      expect(readdirSync(join(dir.path, "r", "shards"))).toHaveLength(3 + 1);

      // Nobody knows before how much a delta finds: the same command, each night.
      const delta = [
        "run",
        "--executor",
        "local",
        ...args.slice(3, 7),
        "--run-dir",
        "d",
        "--delta",
        "--num-shards",
        "9",
      ];
      for (let i = 0; i < 2; i++) expect((await xfer(delta, { cwd: dir.path })).code).toBe(0);
      expect(readdirSync(join(dir.path, "d", "shards"))).toHaveLength(3 + 1);
      expect(readdirSync(join(dir.path, "out")).sort()).toEqual(["a", "b", "c"]);
    },
    timeoutMs,
  );
});

test(
  "--rclone-flags stand in place of the default ones, --add-rclone-flags come after them",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "run"));
    copyFileSync(hostileManifest, join(dir.path, "run", "manifest.jsonl"));
    const flagsOf = async (...more: string[]) => {
      const render = [
        "slurm",
        "render",
        "--run-dir",
        "run",
        "--runtime",
        "host",
        "--num-shards",
        "2",
        "--json",
      ];
      const result = await xfer([...render, "--agent-path", "/x", ...more], { cwd: dir.path });
      expect(result.code, result.stderr).toBe(0);
      return { flags: JSON.parse(result.stdout).rclone_flags.join(" "), said: result.stderr };
    };
    const defaults = "--transfers 32 --checkers 64 --fast-list --retries 10 --low-level-retries 20";
    expect(await flagsOf()).toEqual({ flags: defaults, said: "" });
    expect(await flagsOf("--rclone-flags", "--transfers 48")).toEqual({ flags: "--transfers 48", said: "" });
    expect(await flagsOf("--add-rclone-flags", "--transfers 4 --checksum")).toEqual({
      flags: `${defaults} --transfers 4 --checksum`,
      said: "",
    });
    const both = await flagsOf("--rclone-flags", "--transfers 48 -P", "--add-rclone-flags=--stats=30s");
    expect(both.flags).toBe("--transfers 48 -P --stats=30s");
    expect(both.said).toMatch(/^\S+ warning: --rclone-flags: -P, --stats not given to rclone: .*\n$/);
  },
  timeoutMs,
);

test(
  "an option that only a site's plugin has is taken where this host's sbatch has it",
  async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, "run"));
    copyFileSync(hostileManifest, join(dir.path, "run", "manifest.jsonl"));
    const sbatch = join(dir.path, "sbatch");
    writeFileSync(sbatch, "#!/bin/sh\nprintf 'Options provided by plugins:\\n      --site-image=IMAGE\\n'\n");
    chmodSync(sbatch, 0o755);
    const render = async (extras: string) => {
      const args = ["slurm", "render", "--run-dir", "run", "--runtime", "host", "--num-shards", "2"];
      const env = { PATH: `${dir.path}:/usr/bin:/bin` };
      return xfer([...args, "--agent-path", "/x", "--sbatch-extras", extras], { cwd: dir.path, env });
    };
    expect((await render("--site-imag=x")).stderr).toBe(
      "xfer: --sbatch-extras: sbatch has no option --site-imag\n",
    );
    expect(await render("--site-image=x")).toMatchObject({ code: 0 });
    expect(readFileSync(join(dir.path, "run", "sbatch_array.sh"), "utf8")).toContain(
      "\n#SBATCH --site-image=x\n",
    );
  },
  timeoutMs,
);

describe("on a cluster", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await sharedCluster();
  }, timeoutMs);

  test(
    "the command line of the documentation that users know runs as it stands",
    async () => {
      await using stage = await SlurmStage.start(cluster, "documented");
      const keys = stage.fill(20);
      const submitted = await stage.xfer(
        ...stage.runArgs("--submit", "--num-shards", "2", "--sbatch-extras", documented),
        ...["--rclone-flags", "--transfers 48 --checkers 96 --fast-list --stats 30s"],
      );
      expect(submitted.code, submitted.stderr).toBe(0);
      expect(submitted.stderr).toContain("warning: --rclone-flags: --stats not given to rclone");
      const jobId = submitted.stdout.trim();
      const shown = await cluster.run(["squeue", "-h", "-t", "all", "-j", jobId, "-o", "%a"]);
      expect(new Set(shown.stdout.trim().split("\n"))).toEqual(new Set(["foo"]));
      expect(readFileSync(join(stage.runDir, "sbatch_array.sh"), "utf8")).toContain(
        "#SBATCH --account=foo\n#SBATCH --qos=bar\n",
      );
      await cluster.waitForJob(jobId, timeoutMs);
      expect(stage.states("done"), stage.logs()).toHaveLength(2);
      expect(await stage.different(keys)).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "sbatch takes what is rendered, and takes none of what is refused",
    async () => {
      const taken = [
        documented,
        "-A a -q b -H --exclusive=user --nice=-5 -k # text",
        "--comment='a #b \"c\" \\d' --constraint=",
        "--mail-type=END,FAIL --dependency=singleton --open-mode=append --signal=B:USR1@165",
        "-t 2-12:30 --time-min=90:30 --mem=8GB --ntasks=2 --ntasks-per-node=2 -N 1-2 -J 'a b' -p transfer",
        "--kill-on-invalid-dep=yes --wait-all-nodes=1 --switches=1@10 --hint=nomultithread --chdir=/ --export=ALL",
      ];
      const refused = [
        ...["foo", "--account=a foo", "--exclusive user", "--nice 10", "--account", "--no-such=1", "-Z"],
        ...[
          "--acc=a",
          "--exclusive=foo",
          "--mem-per-cpu=1G",
          "--mem=lots",
          "--mem=8GiB",
          "--mem=1.5G",
          "--mem=-1",
        ],
        ...["--time=abc", "--time=24h", "--time=1:2:3:4", "--time=:30", "--time-min=abc", "--tmp=lots"],
        ...["--nodes=x", "--nodes=2-1", "--ntasks=0", "--ntasks-per-node=x", "--gpus=x", "--mail-type=FOO"],
        ...["--open-mode=foo", "--signal=B:USR1@70000", "--dependency=foo", "--kill-on-invalid-dep=maybe"],
        ...["--wait-all-nodes=2", "--hint=foo", "--switches=x", "--partition=", "--partition=a b"],
      ];
      const dir = await cluster.sharedDir("sbatch");
      // Of a word that is refused, the line of the user's script stands as it was written.
      for (const text of refused) {
        const known = () => {
          const words = sbatchExtras(text);
          if (words.join() === "--no-such=1") throw new Error("left to the look at this host's sbatch");
        };
        expect(known, text).toThrow();
      }
      const script = (lines: string) => `#!/bin/bash\n#SBATCH --mem=8G\n${lines}\ntrue\n`;
      const directives = (text: string) =>
        sbatchExtras(text)
          .map((word) => `#SBATCH ${quoteDirective(word)}`)
          .join("\n");
      taken.forEach((text, i) => {
        writeFileSync(join(dir, `taken-${i}`), script(directives(text)));
      });
      refused.forEach((text, i) => {
        writeFileSync(join(dir, `refused-${i}`), script(`#SBATCH ${text}`));
      });
      const loop =
        'for f in *; do sbatch --test-only "$f" >/dev/null 2>&1 && echo "$f yes" || echo "$f no"; done';
      const judged = await cluster.run(["bash", "-c", loop], { cwd: dir });
      const answers = new Map(
        judged.stdout
          .trim()
          .split("\n")
          .map((line) => line.split(" ") as [string, string]),
      );
      expect(taken.filter((_, i) => answers.get(`taken-${i}`) !== "yes")).toEqual([]);
      expect(refused.filter((_, i) => answers.get(`refused-${i}`) !== "no")).toEqual([]);
    },
    timeoutMs,
  );
});
