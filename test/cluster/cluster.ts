import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { paced, patience } from "../setup/pace.ts";
import { buildImageDir, packImage } from "./image.ts";
import { ensureClusterPackages } from "./packages.ts";
import { CLUSTER_MARK, NODE_MARK, reap, reapAndRemove } from "./reap.ts";

/** The names of the nodes of every test cluster. */
const NODES = ["n1", "n2"] as const;
type NodeName = (typeof NODES)[number];

/** What may differ from one test cluster to another. */
export interface ClusterOptions {
  /**
   * slurm.conf values by key, e.g. { MaxArraySize: "11" }: each replaces the line of its key, or adds one. The
   * word @DIR@ in a value stands for the cluster's directory.
   */
  config?: Record<string, string>;
  /** Whole lines at the end of slurm.conf, e.g. a second partition. */
  extraLines?: readonly string[];
  /** CPUs that each node pretends to have; 32 by default. */
  cpusPerNode?: number;
}

/** An account of this host. */
interface ClusterUser {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface RunOptions {
  /** Run as the ordinary user instead of root. */
  asUser?: boolean;
  /** By default an empty directory of the caller's own inside the cluster's. */
  cwd?: string;
  /** Added to a small fixed environment: nothing of the test process's own passes. */
  env?: Record<string, string>;
  /** 120,000 by default; a longer run is killed and reported as an Error. */
  timeoutMs?: number;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** One task of a job array (taskId null: a job that is no array) and its state in Slurm's long form. */
export interface TaskState {
  taskId: number | null;
  state: string;
}

/** A running Slurm of two nodes on this host. */
export interface Cluster extends AsyncDisposable {
  /** Everything of this cluster lies in here and goes with it. */
  dir: string;
  confPath: string;
  /** What a Slurm command needs in its environment to reach this cluster. */
  env: Record<string, string>;
  /** A root filesystem to give to --container-image: a directory, which only the stand-in takes. */
  imageDir: string;
  /** The same as a squashfs file, as pyxis wants it; packed at first use. */
  readonly imageSqsh: string;
  /** An ordinary account, made when missing and kept. */
  user: ClusterUser;
  /** Runs a command with the cluster's environment, as root or as the user. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The state of every task of a job that Slurm still knows, ended ones included; empty for an unknown job. */
  squeue(jobId: string | number): Promise<TaskState[]>;
  /** Resolves when no task of the job waits, runs or completes; rejects after `timeoutMs`. */
  waitForJob(jobId: string | number, timeoutMs: number): Promise<void>;
  /** A node's state as sinfo prints it, e.g. "idle", "mixed", "down*". */
  nodeState(name: NodeName): Promise<string>;
  /**
   * Makes a node vanish as in a power cut: its slurmd and all job processes are killed at once. slurmctld finds
   * out by itself after some 16 s, or at once with `announce`, as when a site's health check marks the node DOWN.
   */
  nodeDown(name: NodeName, options?: { announce?: boolean }): Promise<void>;
  /** Brings a node back and resolves when it can take jobs. */
  nodeUp(name: NodeName): Promise<void>;
  /** A new directory that the user owns and everyone may enter, as on a cluster's shared filesystem. */
  sharedDir(name: string): Promise<string>;
  /** Ends every process of the cluster and removes its directory; a second call does nothing. */
  stop(): Promise<void>;
}

const USER_NAME = "xfertest";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const START_TIMEOUT_MS = 30_000;
const START_ATTEMPTS_MAX = 3;
const NODE_UP_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 120_000;
const POLL_MS = 100;
const JOB_POLL_MS = 250;
const LOG_TAIL_CHARACTERS = 1500;
/** Below the ports that the kernel hands out by itself, so that no client takes one in between. */
const PORT_RANGE = { first: 20_000, count: 10_000 };
/** States in which Slurm is through with a task; every other one may still change. */
const ENDED = new Set(
  "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED TIMEOUT".split(" "),
);

/**
 * Polls `check` until it returns something other than undefined and resolves to that; rejects with what
 * `describe` says after `timeoutMs` of an idle machine.
 */
export async function pollUntil<T>(
  check: () => Promise<T | undefined> | T | undefined,
  { timeoutMs, pollMs = POLL_MS, describe }: { timeoutMs: number; pollMs?: number; describe: () => string },
): Promise<T> {
  const isOver = patience(timeoutMs);
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (isOver()) throw new Error(`${describe()} (waited in vain)`);
    await Bun.sleep(pollMs);
  }
}

/** slurm.conf's text with `config` in place of, or after, the template's lines, then `extraLines`. */
export function applyOverrides(template: string, { config = {}, extraLines = [] }: ClusterOptions): string {
  const left = new Map(Object.entries(config));
  const lines = template.split("\n").map((line) => {
    const key = line.slice(0, line.indexOf("="));
    const value = left.get(key);
    if (value === undefined) return line;
    left.delete(key);
    return `${key}=${value}`;
  });
  return [...lines, ...[...left].map(([key, value]) => `${key}=${value}`), ...extraLines, ""].join("\n");
}

/** Starts munged, slurmctld and two slurmd of this host's Slurm in a directory of their own; needs root. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  if (process.getuid?.() !== 0)
    throw new Error("a test cluster needs root: slurmd changes to the jobs' users");
  await ensureClusterPackages();
  const user = await ensureUser(USER_NAME);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options, user);
    } catch (error) {
      // Between the choice of a port and the daemon's use of it another program may have taken it.
      const canRetry = attempt < START_ATTEMPTS_MAX && String(error).includes("Address already in use");
      if (!canRetry) throw error;
    }
  }
}

async function startOnce(options: ClusterOptions, user: ClusterUser): Promise<Cluster> {
  // Not the system's TMPDIR: every user must be able to enter, and a socket's path may have 107 bytes.
  const dir = mkdtempSync("/tmp/xfer-cluster-");
  const watchdog = Bun.spawn([process.execPath, join(import.meta.dir, "reap.ts"), dir], {
    cwd: "/",
    env: { PATH, BUN_BE_BUN: "1" },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
  });
  watchdog.unref();
  const reapAtExit = () => reapAndRemove(dir);
  process.on("exit", reapAtExit);
  const stop = async () => {
    reapAndRemove(dir);
    process.off("exit", reapAtExit);
    watchdog.kill("SIGKILL");
  };
  const daemons = new Daemons(dir);
  try {
    await layOut(dir, options, user);
    const cluster = createCluster({ dir, user, daemons, stop });
    await startDaemons(cluster, daemons);
    return cluster;
  } catch (error) {
    const logs = daemons.logTails();
    await stop();
    throw new Error(
      `the test cluster in ${dir} did not start: ${error instanceof Error ? error.message : error}${logs}`,
    );
  }
}

async function layOut(dir: string, options: ClusterOptions, user: ClusterUser): Promise<void> {
  chmodSync(dir, 0o755);
  for (const part of [
    "etc",
    "lib",
    "log",
    "run",
    "scratch",
    "shared",
    "cwd/root",
    "cwd/user",
    "spool/controller",
    "spool/n1",
    "spool/n2",
  ])
    mkdirSync(`${dir}/${part}`, { recursive: true, mode: 0o755 });
  chownSync(`${dir}/cwd/user`, user.uid, user.gid);
  writeFileSync(`${dir}/etc/munge.key`, crypto.getRandomValues(new Uint8Array(128)), { mode: 0o600 });
  const [controllerPort, n1Port, n2Port] = await freePorts(3);
  const words: Record<string, string> = {
    DIR: dir,
    CONTROLLER_PORT: String(controllerPort),
    N1_PORT: String(n1Port),
    N2_PORT: String(n2Port),
    CPUS: String(options.cpusPerNode ?? 32),
  };
  const template = readFileSync(join(import.meta.dir, "slurm.conf"), "utf8");
  const wordOf = (word: string) => {
    const seconds = /^(\d+)_SECONDS$/.exec(word)?.[1];
    return seconds === undefined ? words[word] : String(Math.round(paced(Number(seconds))));
  };
  const conf = template.replace(/@(\w+)@/g, (whole, word: string) => wordOf(word) ?? whole);
  writeFileSync(`${dir}/etc/slurm.conf`, applyOverrides(conf, options).replaceAll("@DIR@", dir));
  const plugin = `${dir}/lib/pyxis_standin.so`;
  await mustSpawn(["gcc", "-O2", "-fPIC", "-shared", "-o", plugin, join(import.meta.dir, "pyxis_standin.c")]);
  writeFileSync(`${dir}/etc/plugstack.conf`, `required ${plugin} scratch=${dir}/scratch\n`);
  buildImageDir(`${dir}/image`, PATH);
}

/** The daemons of one cluster, as children of this process. */
class Daemons {
  readonly #running = new Map<string, Bun.Subprocess>();
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  start(name: string, argv: string[], env: Record<string, string> = {}): void {
    const output = openSync(`${this.#dir}/log/${name}.out`, "a");
    const child = Bun.spawn(argv, {
      cwd: this.#dir,
      env: { PATH, ...env, [CLUSTER_MARK]: this.#dir },
      stdin: "ignore",
      stdout: output,
      stderr: output,
      // Ctrl-C on the tests' terminal must not reach it: jobs would end in odd ways while tests clean up.
      detached: true,
    });
    child.unref();
    this.#running.set(name, child);
  }

  startNode(name: NodeName): void {
    const argv = ["slurmd", "-D", "-N", name, "-f", `${this.#dir}/etc/slurm.conf`];
    this.start(`slurmd-${name}`, argv, { [NODE_MARK]: name });
  }

  throwIfOneEnded(): void {
    for (const [name, child] of this.#running)
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}`);
  }

  async ended(name: string): Promise<void> {
    await this.#running.get(name)?.exited;
  }

  logTails(): string {
    const names = ["munged", "slurmctld", "slurmd-n1", "slurmd-n2"].flatMap((name) => [
      `${name}.out`,
      `${name}.log`,
    ]);
    const tails = names
      .filter((name) => existsSync(`${this.#dir}/log/${name}`))
      .map((name) => [name, readFileSync(`${this.#dir}/log/${name}`, "utf8").slice(-LOG_TAIL_CHARACTERS)])
      .filter(([, text]) => text !== "");
    return tails.map(([name, text]) => `\n--- ${name}\n${text}`).join("");
  }
}

async function startDaemons(cluster: Cluster, daemons: Daemons): Promise<void> {
  const { dir } = cluster;
  const waitFor = async (what: string, check: () => Promise<boolean> | boolean) => {
    const once = async () => {
      daemons.throwIfOneEnded();
      return (await check()) || undefined;
    };
    await pollUntil(once, { timeoutMs: START_TIMEOUT_MS, describe: () => `${what} never came` });
  };
  daemons.start("munged", [
    "munged",
    "--foreground",
    `--key-file=${dir}/etc/munge.key`,
    `--socket=${dir}/run/munge.socket`,
    `--pid-file=${dir}/run/munged.pid`,
    `--seed-file=${dir}/run/munged.seed`,
    "--num-threads=2",
  ]);
  await waitFor("munged's socket", () => existsSync(`${dir}/run/munge.socket`));
  daemons.start("slurmctld", ["slurmctld", "-D", "-f", cluster.confPath]);
  for (const name of NODES) daemons.startNode(name);
  await waitFor("two idle nodes", async () => {
    const states = await Promise.all(NODES.map((name) => cluster.nodeState(name)));
    return states.every((state) => state === "idle");
  });
}

function createCluster(parts: {
  dir: string;
  user: ClusterUser;
  daemons: Daemons;
  stop: () => Promise<void>;
}): Cluster {
  const { dir, user, daemons } = parts;
  const confPath = `${dir}/etc/slurm.conf`;
  const env = { SLURM_CONF: confPath };
  const packed = `${dir}/image.sqsh`;
  let stopped: Promise<void> | undefined;

  const run: Cluster["run"] = async (argv, options = {}) => {
    const account = options.asUser ? user : { name: "root", uid: 0, gid: 0, home: "/root" };
    const become = options.asUser
      ? ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--init-groups", "--"]
      : [];
    return await spawnToEnd([...become, ...argv], {
      cwd: options.cwd ?? `${dir}/cwd/${options.asUser ? "user" : "root"}`,
      env: {
        PATH,
        HOME: account.home,
        USER: account.name,
        LOGNAME: account.name,
        SHELL: "/bin/bash",
        ...env,
        ...options.env,
      },
      timeoutMs: options.timeoutMs ?? RUN_TIMEOUT_MS,
    });
  };

  const squeue: Cluster["squeue"] = async (jobId) => {
    const result = await run(["squeue", "-h", "-r", "-t", "all", "-j", String(jobId), "-o", "%K|%T"]);
    if (result.code !== 0 && result.stderr.includes("Invalid job id")) return [];
    if (result.code !== 0) throw new Error(`squeue ended with ${result.code}: ${result.stderr}`);
    return parseTaskStates(result.stdout);
  };

  const nodeState: Cluster["nodeState"] = async (name) => {
    const result = await run(["sinfo", "-h", "-n", name, "-o", "%T"]);
    // A node of two partitions has two lines; while slurmctld starts there is none.
    return result.stdout.split("\n", 1)[0]?.trim() ?? "";
  };

  return {
    dir,
    confPath,
    env,
    user,
    imageDir: `${dir}/image`,
    get imageSqsh() {
      if (!existsSync(packed)) packImage(`${dir}/image`, packed);
      return packed;
    },
    run,
    squeue,
    nodeState,
    async waitForJob(jobId, timeoutMs) {
      let seen: TaskState[] = [];
      const check = async () => {
        seen = (await squeue(jobId)).filter(({ state }) => !ENDED.has(state));
        return seen.length === 0 ? true : undefined;
      };
      const describe = () => `job ${jobId} is not through: ${JSON.stringify(seen)}${daemons.logTails()}`;
      await pollUntil(check, { timeoutMs, pollMs: JOB_POLL_MS, describe });
    },
    async nodeDown(name, { announce = false } = {}) {
      reap(dir, name);
      await daemons.ended(`slurmd-${name}`);
      if (!announce) return;
      const result = await run(["scontrol", "update", `NodeName=${name}`, "State=DOWN", "Reason=test"]);
      if (result.code !== 0) throw new Error(`scontrol ended with ${result.code}: ${result.stderr}`);
    },
    async nodeUp(name) {
      daemons.startNode(name);
      const check = async () => (/^(idle|mixed|allocated)$/.test(await nodeState(name)) ? true : undefined);
      const describe = () => `node ${name} does not come back${daemons.logTails()}`;
      await pollUntil(check, { timeoutMs: NODE_UP_TIMEOUT_MS, describe });
    },
    async sharedDir(name) {
      const made = mkdtempSync(`${dir}/shared/${name}-`);
      chownSync(made, user.uid, user.gid);
      chmodSync(made, 0o755);
      return made;
    },
    stop: () => (stopped ??= parts.stop()),
    [Symbol.asyncDispose]: () => (stopped ??= parts.stop()),
  };
}

/** Reads squeue's lines of the form "task|STATE", as `squeue -r -o "%K|%T"` prints them. */
export function parseTaskStates(text: string): TaskState[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [, task, state] = /^(\d+|N\/A)\|([A-Z_]+)$/.exec(line) ?? [];
    if (task === undefined || state === undefined)
      throw new Error(`squeue printed an unknown line: ${JSON.stringify(line)}`);
    return { taskId: task === "N/A" ? null : Number(task), state };
  });
}

async function spawnToEnd(
  argv: readonly string[],
  { cwd, env, timeoutMs }: { cwd: string; env: Record<string, string>; timeoutMs: number },
): Promise<RunResult> {
  const child = Bun.spawn([...argv], {
    cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    // The whole group: a grandchild that holds the pipe would keep the readers below waiting.
    process.kill(-child.pid, "SIGKILL");
  }, paced(timeoutMs));
  try {
    const [code, stdout, stderr] = await Promise.all([
      child.exited,
      child.stdout.text(),
      child.stderr.text(),
    ]);
    if (late) throw new Error(`${argv.join(" ")} took too long\n${stdout}${stderr}`);
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

async function mustSpawn(argv: readonly string[]): Promise<string> {
  const result = await spawnToEnd(argv, { cwd: "/", env: { PATH }, timeoutMs: RUN_TIMEOUT_MS });
  if (result.code !== 0) throw new Error(`${argv.join(" ")} ended with ${result.code}: ${result.stderr}`);
  return result.stdout;
}

async function findUser(name: string): Promise<ClusterUser | undefined> {
  const { stdout } = await spawnToEnd(["getent", "passwd", name], {
    cwd: "/",
    env: { PATH },
    timeoutMs: RUN_TIMEOUT_MS,
  });
  const [, , uid, gid, , home] = stdout.trim().split(":");
  if (uid === undefined || gid === undefined || home === undefined) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

async function ensureUser(name: string): Promise<ClusterUser> {
  const found = await findUser(name);
  if (found !== undefined) return found;
  const argv = ["useradd", "--create-home", "--user-group", "--shell", "/bin/bash", name];
  const made = await spawnToEnd(argv, { cwd: "/", env: { PATH }, timeoutMs: RUN_TIMEOUT_MS });
  // Another test process may have made it at the same time: what counts is that it is there.
  const user = await findUser(name);
  if (user === undefined) throw new Error(`${argv.join(" ")} ended with ${made.code}: ${made.stderr}`);
  return user;
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}

/** Different TCP ports that nothing listens on; random, so that two test processes seldom meet. */
async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; found.size < count; attempt++) {
    if (attempt > PORT_RANGE.count) throw new Error("no free TCP ports for a test cluster");
    const port = PORT_RANGE.first + Math.floor(Math.random() * PORT_RANGE.count);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}
