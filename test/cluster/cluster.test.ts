import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { limitMs } from "../setup/pace.ts";
import { applyOverrides, type Cluster, parseTaskStates, pollUntil, startCluster } from "./cluster.ts";
import { clusterPids } from "./reap.ts";
import { sharedCluster } from "./shared.ts";

const START_TIMEOUT_MS = limitMs(600_000);
const JOB_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = limitMs(120_000);

let cluster: Cluster;

beforeAll(async () => {
  cluster = await sharedCluster();
}, START_TIMEOUT_MS);

/** Submits a batch script that works in `dir` and returns the job's id. */
async function submit(
  dir: string,
  {
    flags = [],
    body,
    asUser = true,
    on = cluster,
  }: { flags?: string[]; body: string; asUser?: boolean; on?: Cluster },
): Promise<string> {
  writeFileSync(
    `${dir}/job.sh`,
    `#!/bin/bash\n#SBATCH --output=${dir}/out.%a\n#SBATCH --open-mode=append\n${body}\n`,
  );
  const result = await on.run(["sbatch", "--parsable", ...flags, `${dir}/job.sh`], { asUser, cwd: dir });
  if (result.code !== 0) throw new Error(`sbatch ended with ${result.code}: ${result.stderr}`);
  return result.stdout.trim();
}

function readLines(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

/** Waits until a line of `file` matches and returns all lines. */
async function untilLine(file: string, pattern: RegExp): Promise<string[]> {
  const check = () => {
    const lines = readLines(file);
    return lines.some((line) => pattern.test(line)) ? lines : undefined;
  };
  const describe = () => `no ${pattern} in ${file}: ${JSON.stringify(readLines(file))}`;
  return await pollUntil(check, { timeoutMs: JOB_TIMEOUT_MS, describe });
}

describe("reading and writing", () => {
  test("squeue's lines become task states", () => {
    expect(parseTaskStates("0|RUNNING\n12|COMPLETED\nN/A|PENDING\n")).toEqual([
      { taskId: 0, state: "RUNNING" },
      { taskId: 12, state: "COMPLETED" },
      { taskId: null, state: "PENDING" },
    ]);
    expect(() => parseTaskStates("1_[2-3]|PENDING\n")).toThrow("1_[2-3]|PENDING");
  });

  test("overrides replace a line by its key, new keys and extra lines follow", () => {
    const options = { config: { KillWait: "9", New: "x=y" }, extraLines: ["PartitionName=high"] };
    expect(applyOverrides("KillWait=5\nMinJobAge=300\n# KillWait=1", options)).toBe(
      "KillWait=9\nMinJobAge=300\n# KillWait=1\nNew=x=y\nPartitionName=high\n",
    );
  });
});

describe.each([
  ["root", false],
  ["the ordinary user", true],
])("a job array of %s", (_, asUser) => {
  test(
    "runs rclone in the container, three times",
    async () => {
      const dir = await cluster.sharedDir("array");
      const id = await submit(dir, {
        asUser,
        flags: ["--export=NONE", "--array=0-2"],
        body: `srun --export=ALL --container-image=${cluster.imageSqsh} --container-mounts=/etc:/in:ro,${dir}:/out rclone version
srun --export=ALL --container-image=${cluster.imageSqsh} --container-mounts=/etc:/in:ro,${dir}:/out sh -c 'id -un > /out/user.$SLURM_ARRAY_TASK_ID'`,
      });
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
      const states = await cluster.squeue(id);
      expect(states.toSorted((a, b) => Number(a.taskId) - Number(b.taskId))).toEqual(
        [0, 1, 2].map((taskId) => ({ taskId, state: "COMPLETED" })),
      );
      for (const task of [0, 1, 2]) {
        expect(readLines(`${dir}/out.${task}`)[0]).toMatch(/^rclone v1\.\d+/);
        expect(readLines(`${dir}/user.${task}`)).toEqual([asUser ? cluster.user.name : "root"]);
      }
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "with --export=NONE gets the login environment and keeps the submit directory",
    async () => {
      const dir = await cluster.sharedDir("none");
      const body = 'echo "$HOME|$SLURM_SUBMIT_DIR|$PWD|$SLURM_EXPORT_ENV"';
      const id = await submit(dir, { asUser, flags: ["--export=NONE", "--array=1"], body });
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
      expect(readLines(`${dir}/out.1`)).toEqual([
        `${asUser ? cluster.user.home : "/root"}|${dir}|${dir}|NONE`,
      ]);
    },
    TEST_TIMEOUT_MS,
  );
});

describe("requeue", () => {
  test(
    "of one task restarts this one only, and counts it",
    async () => {
      const dir = await cluster.sharedDir("requeue");
      // Task 2 is the last of the array: there SLURM_JOB_ID is the array's own id.
      const id = await submit(dir, {
        flags: ["--export=NONE", "--requeue", "--array=0-2"],
        body: `echo "restart=$SLURM_RESTART_COUNT"
if [ "$SLURM_ARRAY_TASK_ID" = 2 ] && [ -z "$SLURM_RESTART_COUNT" ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"; sleep 60
fi`,
      });
      await untilLine(`${dir}/out.2`, /^restart=1$/);
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
      expect(readLines(`${dir}/out.0`)).toEqual(["restart="]);
      expect(readLines(`${dir}/out.1`)).toEqual(["restart="]);
      expect(readLines(`${dir}/out.2`).filter((line) => line.startsWith("restart"))).toEqual([
        "restart=",
        "restart=1",
      ]);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "a dead node's task runs again on the other node",
    async () => {
      const dir = await cluster.sharedDir("power");
      const id = await submit(dir, {
        flags: ["--export=NONE", "--requeue", "--array=1"],
        body: `echo "restart=$SLURM_RESTART_COUNT on $SLURMD_NODENAME"
[ -n "$SLURM_RESTART_COUNT" ] || srun --export=ALL --container-image=${cluster.imageSqsh} sleep 300`,
      });
      const [first] = await untilLine(`${dir}/out.1`, /^restart= /);
      const node = first?.endsWith("n2") ? "n2" : "n1";
      // Nobody tells slurmctld: it has to find out by itself.
      await cluster.nodeDown(node);
      const lines = await untilLine(`${dir}/out.1`, /^restart=1 /);
      expect(lines.at(-1)).toBe(`restart=1 on ${node === "n1" ? "n2" : "n1"}`);
      expect(await cluster.nodeState(node)).toStartWith("down");
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
      await cluster.nodeUp(node);
      expect(await cluster.nodeState(node)).toBe("idle");
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "an announced node failure is acted on at once",
    async () => {
      const dir = await cluster.sharedDir("announced");
      const body = '[ -z "$SLURM_RESTART_COUNT" ] && echo up && sleep 300';
      const id = await submit(dir, { flags: ["--requeue", "--array=1", "--nodelist=n2"], body });
      await untilLine(`${dir}/out.1`, /^up$/);
      await cluster.nodeDown("n2", { announce: true });
      expect(await cluster.squeue(id)).toEqual([{ taskId: 1, state: "PENDING" }]);
      await cluster.run(["scancel", id]);
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
      await cluster.nodeUp("n2");
    },
    TEST_TIMEOUT_MS,
  );
});

/** A step that says what it gets in a file of `dir`, and ends a second after TERM. */
function talkingStep(dir: string): string {
  const script = `trap 'echo "step TERM" >> /run/log; sleep 1; echo "step end" >> /run/log; exit 7' TERM; echo "step up" >> /run/log; while :; do sleep 0.1; done`;
  writeFileSync(`${dir}/step.sh`, script);
  return `srun --export=ALL --container-image=${cluster.imageSqsh} --container-mounts=${dir}:/run sh /run/step.sh`;
}

describe("signals", () => {
  test(
    "scancel sends TERM to the batch script and into the container, KILL after KillWait",
    async () => {
      const dir = await cluster.sharedDir("scancel");
      const id = await submit(dir, {
        flags: ["--export=NONE", "--array=1"],
        body: `trap 'echo "batch TERM $(squeue -h -j \${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID} -o %T)" >> ${dir}/log' TERM
${talkingStep(dir)} &
step=$!
while kill -0 $step; do wait $step; code=$?; done
echo "srun ended with $code" >> ${dir}/log
while :; do sleep 0.1; done`,
      });
      await untilLine(`${dir}/log`, /^step up$/);
      const started = performance.now();
      await cluster.run(["scancel", `${id}_1`], { asUser: true });
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
      const took = performance.now() - started;
      const lines = readLines(`${dir}/log`);
      for (const line of ["step TERM", "batch TERM COMPLETING", "step end", "srun ended with 7"])
        expect(lines).toContain(line);
      expect(await cluster.squeue(id)).toEqual([{ taskId: 1, state: "CANCELLED" }]);
      // KillWait is 5 s, counted in whole seconds; the script above does not end by itself.
      expect(took).toBeGreaterThan(3500);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "TERM to srun kills its step without a TERM; scancel --signal to the task's steps asks it to end",
    async () => {
      const dir = await cluster.sharedDir("srun");
      const step = talkingStep(dir);
      const id = await submit(dir, {
        flags: ["--export=NONE", "--array=1"],
        body: `up() { while [ "$(grep -c 'step up' ${dir}/log)" != "$1" ]; do sleep 0.1; done; }
touch ${dir}/log
${step} & up 1; kill -TERM $!; wait $!; echo "killed: $?" >> ${dir}/log
${step} & up 2; scancel --signal=TERM \${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}; wait $!; echo "asked: $?" >> ${dir}/log`,
      });
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
      expect(readLines(`${dir}/log`)).toEqual([
        "step up",
        "killed: 137",
        "step up",
        "step TERM",
        "step end",
        "asked: 7",
      ]);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "--signal=B: reaches the batch script before its time is up, and not the step",
    async () => {
      const dir = await cluster.sharedDir("warning");
      const id = await submit(dir, {
        flags: ["--export=NONE", "--array=1", "--time=2", "--signal=B:USR1@115"],
        body: `trap 'echo "batch USR1" >> ${dir}/log' USR1
${talkingStep(dir)} &
wait $!; echo "wait ended with $?" >> ${dir}/log; kill -0 $! && echo "step lives" >> ${dir}/log`,
      });
      expect((await untilLine(`${dir}/log`, /^step lives$/)).slice(0, 2)).toEqual(["step up", "batch USR1"]);
      await cluster.run(["scancel", id]);
      await cluster.waitForJob(id, JOB_TIMEOUT_MS);
    },
    TEST_TIMEOUT_MS,
  );
});

describe("sbatch", () => {
  const names = [
    "a b",
    " a ",
    "#a # b",
    "it's",
    'a"b"',
    "a\\b\\",
    "$(id) `id` $HOME",
    "%j;&|<>*?[]{}~!",
    "é 漢 😀",
    "a\tb",
  ];
  test.each(names)('takes the job name %j between quotes with \\ before " and \\', async (name) => {
    const dir = await cluster.sharedDir("name");
    const quoted = name.replace(/["\\]/g, (character) => `\\${character}`);
    const id = await submit(dir, { flags: ["--hold"], body: `#SBATCH --job-name="${quoted}"\ntrue` });
    const { stdout } = await cluster.run(["squeue", "-h", "-j", id, "-o", "<%j>"]);
    await cluster.run(["scancel", id]);
    expect(stdout).toBe(`<${name}>\n`);
  });
});

describe("the cluster itself", () => {
  test(
    "a second one runs beside the first, with settings of its own",
    async () => {
      await using other = await startCluster({
        config: { MaxArraySize: "11" },
        extraLines: ["PartitionName=second Nodes=n1 State=UP"],
        cpusPerNode: 3,
      });
      expect((await other.run(["scontrol", "show", "config"])).stdout).toMatch(/^MaxArraySize\s+= 11$/m);
      expect((await cluster.run(["scontrol", "show", "config"])).stdout).toMatch(/^MaxArraySize\s+= 10001$/m);
      expect((await other.run(["sinfo", "-h", "-p", "second", "-o", "%c"])).stdout).toBe("3\n");
      const dir = await other.sharedDir("second");
      const id = await submit(dir, {
        on: other,
        flags: ["--partition=second", "--array=1"],
        body: "echo ran",
      });
      await other.waitForJob(id, JOB_TIMEOUT_MS);
      expect(readLines(`${dir}/out.1`)).toEqual(["ran"]);
      await other.stop();
      expect(existsSync(other.dir)).toBe(false);
      expect(clusterPids(other.dir)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "a start that fails says why, with the daemons' logs, and leaves nothing",
    async () => {
      const failure = await startCluster({ config: { SelectType: "select/nonsense" } }).catch(String);
      expect(failure).toMatch(/did not start: slurmctld ended with 1/);
      expect(failure).toMatch(/--- slurmctld\.log.*nonsense/s);
      const dir = /\/tmp\/xfer-cluster-\w+/.exec(String(failure))?.[0] ?? "";
      expect(dir).not.toBe("");
      expect(existsSync(dir)).toBe(false);
      expect(clusterPids(dir)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  test.each(["SIGKILL", "SIGINT"] as const)(
    "nothing is left when its process ends by %s",
    async (signal) => {
      const script = `
      const { startCluster } = await import(${JSON.stringify(join(import.meta.dir, "cluster.ts"))});
      const cluster = await startCluster();
      await cluster.run(["sbatch", "--wrap", "srun --container-image=" + cluster.imageSqsh + " sleep 300"], { asUser: true });
      while (!(await cluster.run(["squeue", "-h", "-s"])).stdout.includes(".0")) await Bun.sleep(100);
      console.log(cluster.dir);
      await new Promise((resolve) => setTimeout(resolve, 600_000));`;
      const child = Bun.spawn([process.execPath, "-e", script], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "inherit",
      });
      const first = await child.stdout.getReader().read();
      const dir = new TextDecoder().decode(first.value).trim();
      expect(clusterPids(dir).length).toBeGreaterThan(5);
      child.kill(signal);
      await child.exited;
      const isGone = () => (!existsSync(dir) && clusterPids(dir).length === 0) || undefined;
      const describe = () => `left of ${dir}: ${clusterPids(dir).join(" ")}`;
      await pollUntil(isGone, { timeoutMs: 20_000, describe });
      const loops = (await cluster.run(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"]))
        .stdout;
      expect(loops).not.toContain(dir);
    },
    TEST_TIMEOUT_MS,
  );
});
