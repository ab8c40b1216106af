import { beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { sharedCluster } from "../cluster/shared.ts";
import { SlurmStage } from "../stage/slurm-stage.ts";

const timeoutMs = 300_000;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
}, timeoutMs);

/** Renders a run from one folder of the stage to another, of one shard and without a container. */
async function renderRun(stage: SlurmStage, runDir: string, ...more: string[]): Promise<string> {
  const source = join(stage.dir, "in");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "file"), "content");
  const dest = `${runDir}.out`;
  const result = await stage.xfer(
    ...stage.runArgs("--runtime", "host", "--num-shards", "1", "--source", source, "--dest", dest),
    ...["--run-dir", runDir, ...more],
  );
  expect(result.code, result.stderr).toBe(0);
  return dest;
}

test(
  "sbatch from anywhere: the run is found, and its log is in logs/",
  async () => {
    await using stage = await SlurmStage.start(cluster, "anywhere");
    const runDir = join(stage.dir, "a run");
    const other = join(stage.dir, "other");
    const dest = await renderRun(stage, runDir);
    await renderRun(stage, other);
    const script = join(runDir, "sbatch_array.sh");
    const logs = join(runDir, "logs");
    symlinkSync(script, join(stage.dir, "link.sh"));
    symlinkSync(join(runDir, "submit.sh"), join(stage.dir, "submit"));
    const submit = async (cwd: string, ...words: string[]) => {
      rmSync(logs, { recursive: true, force: true });
      const result = await cluster.run(words, { asUser: true, cwd });
      expect(result, words.join(" ")).toMatchObject({ code: 0, stderr: "" });
      const id = result.stdout.trim();
      await cluster.waitForJob(id, timeoutMs);
      return id;
    };
    const own = join(stage.dir, "own.out");
    const sbatch = ["sbatch", "--parsable"];
    const ways: [string, string[]][] = [
      [stage.dir, [...sbatch, "a run/sbatch_array.sh"]],
      ["/", [...sbatch, script]],
      ["/", [...sbatch, `--chdir=${runDir}`, script]],
      [runDir, [...sbatch, "--chdir=/", "sbatch_array.sh"]],
      [runDir, [...sbatch, "--export=NONE", "sbatch_array.sh"]],
      ["/", [...sbatch, "--chdir=/tmp", script, "--stride", "1"]],
      [other, [...sbatch, "../a run/sbatch_array.sh"]],
      ["/", [...sbatch, join(stage.dir, "link.sh")]],
      ["/", ["env", `XFER_RUN_DIR=${runDir}`, "sh", "-c", 'sbatch --parsable <"$0"', script]],
      ["/", [join(stage.dir, "submit"), "--parsable"]],
      ["/", [join(stage.dir, "submit"), "--parsable", "--chdir=/tmp"]],
    ];
    for (const [cwd, words] of ways) {
      const id = await submit(cwd, ...words);
      const how = `${cwd}: ${words.join(" ")}`;
      expect(
        (await cluster.squeue(id)).map(({ state }) => state),
        how,
      ).toEqual(["COMPLETED"]);
      expect(
        readdirSync(logs).filter((name) => name.startsWith("slurm_")),
        how,
      ).toEqual([`slurm_${id}_0.out`]);
      expect(readFileSync(join(dest, "file"), "utf8")).toBe("content");
    }
    expect(existsSync(`${other}.out`)).toBe(false);
    symlinkSync(join(runDir, "worker.sh"), join(stage.dir, "worker"));
    rmSync(logs, { recursive: true, force: true });
    expect(await cluster.run([join(stage.dir, "worker"), "0"], { asUser: true, cwd: "/" })).toMatchObject({
      code: 0,
    });
    // A log that the user names is theirs.
    const named = await submit("/", ...sbatch, `--output=${own}`, script);
    expect((await cluster.squeue(named)).map(({ state }) => state)).toEqual(["COMPLETED"]);
    expect([existsSync(own), existsSync(join(logs, `slurm_${named}_0.out`))]).toEqual([true, false]);
    // Through stdin Slurm has no name of the script: the way out is told where it was called, and in squeue.
    const lost = await submit(stage.dir, "sh", "-c", 'sbatch --parsable <"$0"', script);
    expect((await cluster.squeue(lost)).map(({ state }) => state)).toEqual(["FAILED"]);
    const told = readFileSync(join(stage.dir, `slurm-xfer-${lost}_0.out`), "utf8");
    expect(told).toStartWith("xfer: the run directory was not found: set XFER_RUN_DIR, or submit from there");
    expect(told).toContain(stage.dir);
    expect((await cluster.run(["squeue", "-h", "-t", "all", "-j", lost, "-o", "%k"])).stdout).toContain(
      "set XFER_RUN_DIR",
    );
  },
  timeoutMs,
);

/** Puts a program named sbatch before the real one, and returns the PATH that has it. */
function wrapSbatch(stage: SlurmStage, body: string): string {
  const bin = join(stage.dir, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "sbatch"), `#!/bin/bash\nreal=/usr/bin/sbatch\n${body}\n`);
  chmodSync(join(bin, "sbatch"), 0o755);
  return `${bin}:/usr/bin:/bin`;
}

test(
  "the job id is found among what a login node's sbatch says beside it; without one the user is told to look first",
  async () => {
    await using stage = await SlurmStage.start(cluster, "banner");
    await renderRun(stage, stage.runDir, "--job-name", "named so");
    const noted = () => {
      const path = join(stage.runDir, "submissions.jsonl");
      return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
    };
    const submit = (body: string) => {
      const argv = [stage.xferPath, "slurm", "submit", "--run-dir", stage.runDir];
      return cluster.run(argv, { asUser: true, cwd: stage.dir, env: { PATH: wrapSbatch(stage, body) } });
    };
    const bodies = [
      'echo "** 24 jobs of yours wait **"; echo "sbatch: quota: 17 %" >&2; "$real" "$@" && echo "see squeue --me"',
      // One that drops --parsable, and one that fails after the job is in.
      'shift; "$real" "$@"',
      '"$real" "$@"; echo "accounting is down" >&2; exit 3',
    ];
    for (const body of bodies) {
      const result = await submit(body);
      expect(result.code, result.stderr).toBe(0);
      expect(result.stdout).toMatch(/^\d+\n$/);
      expect(JSON.parse(noted().at(-1) ?? "")).toMatchObject({ job_id: result.stdout.trim() });
      await cluster.waitForJob(result.stdout.trim(), timeoutMs);
    }
    expect(noted()).toHaveLength(bodies.length);
    const silent = await submit('"$real" "$@" >/dev/null; echo "your job is in"; echo "on its way" >&2');
    expect(silent).toMatchObject({ code: 1, stdout: "" });
    expect(silent.stderr).toContain("the array may have been submitted: look at squeue --name='named so'");
    expect(silent.stderr).toContain("stdout: your job is in, stderr: on its way");
    expect(silent.stderr.trimEnd().split("\n")).toHaveLength(1);
    const refused = await submit('"$real" --partition=none "$@" sbatch_array.sh');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("invalid partition specified");
    expect(noted()).toHaveLength(bodies.length);
  },
  timeoutMs,
);

test(
  "a run directory that nothing can be executed from is refused before sbatch",
  async () => {
    await using stage = await SlurmStage.start(cluster, "noexec");
    await renderRun(stage, stage.runDir);
    const mounted = join(stage.dir, "mounted");
    mkdirSync(mounted);
    // A file system of its own in a mount namespace of its own: gone with the command.
    const script =
      'mount -t tmpfs -o noexec none "$1" && cp -r "$2" "$1/run" && ' +
      '"$3" slurm submit --run-dir "$1/run"; code=$?; cat "$1/run/submissions.jsonl" 2>/dev/null; exit $code';
    const argv = ["unshare", "-m", "sh", "-c", script, "sh", mounted, stage.runDir, stage.xferPath];
    const refused = await cluster.run(argv);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toStartWith(
      `xfer: ${mounted}/run/bin/xfer cannot be executed (mounted noexec, or without the right to): nothing was submitted: `,
    );
    expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
    // With a binary from elsewhere the same run directory is fine.
    const dest = await renderRun(stage, stage.runDir, "--agent-path", stage.xferPath);
    chmodSync(join(stage.runDir, "sbatch_array.sh"), 0o644);
    const submitted = await stage.xfer("slurm", "submit", "--run-dir", stage.runDir);
    expect(submitted.code, submitted.stderr).toBe(0);
    await cluster.waitForJob(submitted.stdout.trim(), timeoutMs);
    expect(readFileSync(join(dest, "file"), "utf8"), stage.logs()).toBe("content");
  },
  timeoutMs,
);

test(
  "the password of an encrypted rclone.conf reaches the tasks as the refusal says",
  async () => {
    await using stage = await SlurmStage.start(cluster, "encrypted");
    const conf = join(stage.dir, "encrypted.conf");
    copyFileSync(join(import.meta.dir, "..", "data", "rclone.encrypted.conf"), conf);
    chmodSync(conf, 0o644);
    const env = { RCLONE_CONFIG_PASS: "example" };
    const runDir = join(stage.dir, "run");
    mkdirSync(join(stage.dir, "in"));
    writeFileSync(join(stage.dir, "in", "file"), "content");
    const words = stage.runArgs(
      ...["--runtime", "host", "--num-shards", "1", "--rclone-config", conf],
      ...["--source", `here:${stage.dir}/in`, "--dest", `here:${stage.dir}/out`],
    );
    const asUser = (argv: readonly string[]) => cluster.run(argv, { asUser: true, cwd: stage.dir, env });
    const refused = await asUser([stage.xferPath, ...words, "--submit"]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("submit.sh --export=ALL");
    expect(existsSync(runDir)).toBe(false);
    expect(await asUser([stage.xferPath, ...words])).toMatchObject({ code: 0 });
    const submitted = await asUser([join(runDir, "submit.sh"), "--parsable", "--export=ALL"]);
    await cluster.waitForJob(submitted.stdout.trim(), timeoutMs);
    expect(readFileSync(join(stage.dir, "out", "file"), "utf8"), stage.logs()).toBe("content");
  },
  timeoutMs,
);
