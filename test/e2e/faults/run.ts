import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../cluster/cluster.ts";
import { listedName } from "../../data/hostile-names.ts";
import type { FaultRule, S3Endpoint } from "../../s3/endpoint.ts";
import { paced } from "../../setup/pace.ts";
import {
  kill,
  processesWith,
  type Result,
  Stage,
  type State,
  startXfer,
  state,
  until,
  writeTree,
} from "../../stage/harness.ts";
import { SlurmStage } from "../../stage/slurm-stage.ts";

/** What a row of the fault matrix says of its run, wherever that goes on. */
export interface FaultOf<Run> {
  /** Names the fault. */
  what: string;
  /** Small ones of all kinds, hostile names among them; 100 locally and 120 on the cluster unless said. */
  objects?: number;
  /** 2 unless said. */
  shards?: number;
  /** More words for `xfer run`. */
  flags?: readonly string[];
  /** Whether the run comes through the fault, or ends and has to be started again once it is healed; or that is chance. */
  goesOn: "by itself" | "when started again" | "either";
  /** Brings the fault about; starts the run itself where that must be hit in its middle. */
  disturb(run: Run): void | Promise<void>;
  /** What the disturbed run has said and left when it ended, before anything is healed. */
  leaves?(run: Run): void | Promise<void>;
  /** Mends what the fault broke, as a person would; requests fail no more without it. */
  heal?(run: Run): void | Promise<void>;
  /** PUTs at the destination in the end, beyond one an object, at most. */
  extraPuts?: number;
  /** What the .attempt of every shard says in the end. */
  attempts?: Partial<State>;
}

interface LocalFault extends FaultOf<LocalRun> {
  where: "local";
  /** S3 unless said. */
  from?: "posix";
  to?: "posix";
}

interface SlurmFault extends FaultOf<SlurmRun> {
  where: "slurm";
  /** Takes nodes away from others, so that no other row may run beside it. */
  alone?: true;
}

/** A row of the fault matrix. */
export type Fault = LocalFault | SlurmFault;

/** Where objects are: their keys, bytes and modification times. */
interface Place {
  /** How exactly the time is kept, in seconds. */
  readonly exact: number;
  keys(): string[];
  body(key: string): Promise<Uint8Array | null>;
  seconds(key: string): number;
  /** Takes an object away; the function returned puts it back as it was. */
  take(key: string): Promise<() => void>;
}

class Bucket implements Place {
  readonly exact = 1e-6;
  readonly #endpoint: S3Endpoint;
  readonly #name: string;

  constructor(endpoint: S3Endpoint, name: string) {
    this.#endpoint = endpoint;
    this.#name = name;
  }

  keys(): string[] {
    return this.#endpoint.keys(this.#name);
  }

  body(key: string): Promise<Uint8Array | null> {
    return this.#endpoint.get(this.#name, key);
  }

  seconds(key: string): number {
    return Number(this.#endpoint.head(this.#name, key)?.metadata.mtime);
  }

  async take(key: string): Promise<() => void> {
    const body = await this.body(key);
    const mtime = new Date(Math.round(this.seconds(key) * 1000));
    if (body === null) throw new Error(`there is no ${key}`);
    this.#endpoint.remove(this.#name, key);
    return () => this.#endpoint.put(this.#name, key, body, { mtime });
  }
}

class Folder implements Place {
  readonly exact = 1e-3;
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  keys(): string[] {
    if (!existsSync(this.#dir)) return [];
    const entries = readdirSync(this.#dir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.map(({ parentPath, name }) => join(parentPath, name).slice(this.#dir.length + 1));
  }

  async body(key: string): Promise<Uint8Array | null> {
    const path = join(this.#dir, key);
    return existsSync(path) ? readFileSync(path) : null;
  }

  seconds(key: string): number {
    return (statSync(join(this.#dir, key), { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN) / 1000;
  }

  async take(key: string): Promise<() => void> {
    const [path, aside] = [join(this.#dir, key), `${this.#dir} aside`];
    renameSync(path, aside);
    return () => renameSync(aside, path);
  }
}

/** A run that is disturbed: its data set, its endpoints, and the faults that are in force at them. */
export abstract class FaultRun implements AsyncDisposable {
  readonly shards: number;
  readonly #releases: (() => void)[] = [];
  readonly #taken: (() => void)[] = [];
  readonly #cleanups = new AsyncDisposableStack();
  #quicken: (() => void) | undefined;

  protected constructor(shards: number) {
    this.shards = shards;
  }

  abstract readonly stage: Stage | SlurmStage;
  abstract readonly keys: readonly string[];
  abstract readonly from: Place;
  abstract readonly to: Place;
  abstract readonly isStarted: boolean;
  /** Starts the run, or starts it again. */
  abstract start(): Promise<void>;
  /** Waits until the run has ended, however. */
  abstract end(): Promise<void>;
  /** Whether the run says that all is done: locally by its exit code too. */
  abstract isWhole(): boolean;
  /** What the run has said. */
  abstract said(): string;
  /** Processes that are the run's own. */
  abstract processes(): number[];
  /** Fails when a process of the run outlives it. */
  abstract expectNoProcess(): void | Promise<void>;

  get dir(): string {
    return this.stage.dir;
  }

  get runDir(): string {
    return this.stage.runDir;
  }

  get source(): S3Endpoint {
    return this.stage.source;
  }

  get dest(): S3Endpoint {
    return this.stage.dest;
  }

  stateFile(name: string): string {
    return join(this.runDir, "state", name);
  }

  /** The state files of one kind that are there, in the order of the shards. */
  states(kind: "done" | "fail" | "attempt"): State[] {
    return Array.from({ length: this.shards }, (_, shard) => state(this.runDir, shard, kind)).filter(
      (one) => one !== undefined,
    );
  }

  /** The log of one start of a shard's agent. */
  log(shard: number, attempt: number): string {
    return readFileSync(join(this.runDir, "logs", `shard_${shard}_attempt_${attempt}.log`), "utf8");
  }

  /** The names of the logs: one for each start of an agent. */
  logNames(): string[] {
    return readdirSync(join(this.runDir, "logs")).filter((name) => name.includes("_attempt_"));
  }

  /** Takes an object away from the source until it is put back. */
  async takeFromSource(key: string): Promise<void> {
    this.#taken.push(await this.from.take(key));
  }

  putBack(): void {
    for (const put of this.#taken.splice(0)) put();
  }

  /** Puts a fault in force, until the row is healed. */
  inject(where: "source" | "dest", rule: FaultRule): void {
    this.#releases.push(this[where].inject(rule));
  }

  /** Starts the run with PUTs that take their time, and returns when it is in its middle. */
  async startSlow({ delayMs, puts }: { delayMs: number; puts: number }): Promise<void> {
    this.#quicken = this.dest.inject({ kinds: ["PUT"], action: { delayMs: paced(delayMs) } });
    await this.start();
    await until(`${puts} objects to be copied`, () => this.dest.counts.PUT >= puts, 120_000);
  }

  /** PUTs take no time any more. */
  quicken(): void {
    this.#quicken?.();
  }

  endFaults(): void {
    for (const release of this.#releases.splice(0)) release();
  }

  /** Done when the row is over, however it ended. */
  defer(cleanup: () => void | Promise<void>): void {
    this.#cleanups.defer(cleanup);
  }

  /** Keys of which the destination does not hold what the source does, and those that only one of them has. */
  async different(): Promise<string[]> {
    const different = new Set(this.to.keys()).symmetricDifference(new Set(this.from.keys()));
    const exact = Math.max(this.from.exact, this.to.exact);
    for (const key of this.keys) {
      const [one, other] = await Promise.all([this.from.body(key), this.to.body(key)]);
      const sameTime = Math.abs(this.from.seconds(key) - this.to.seconds(key)) <= exact;
      if (!one || !other || !Buffer.from(one).equals(other) || !sameTime) different.add(key);
    }
    return [...different];
  }

  /** Watches, until it is ended, that no .done is there before every object of its shard is. */
  watchForFalseDone(): { end(): string[] } {
    const found: string[] = [];
    const meta = join(this.runDir, "shards", "shards.meta.json");
    const look = () => {
      if (!existsSync(meta)) return;
      const shards = JSON.parse(readFileSync(meta, "utf8")).shards as { sha256: string; file: string }[];
      shards.forEach(({ sha256, file }, shard) => {
        const path = this.stateFile(`shard_${shard}.done`);
        // A .done of other content is no claim about this shard.
        if (!existsSync(path) || !readFileSync(path, "utf8").includes(sha256)) return;
        const there = new Set(this.to.keys().map(listedName));
        const lines = readFileSync(join(this.runDir, "shards", file), "utf8")
          .trimEnd()
          .split("\n");
        for (const line of lines) {
          const { path: key } = JSON.parse(line) as { path: string };
          if (!there.has(key)) found.push(`shard ${shard}: ${key}`);
        }
      });
    };
    const timer = setInterval(look, 100);
    this.defer(() => clearInterval(timer));
    return {
      end: () => {
        clearInterval(timer);
        look();
        return found;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Only a row that has failed leaves any.
    for (const pid of this.processes()) kill(pid, "SIGKILL");
    await this.#cleanups.disposeAsync();
    await this.stage[Symbol.asyncDispose]();
  }
}

/** Flags that make rclone give up soon. */
export const quick = "--transfers 4 --retries 3 --retries-sleep 100ms --low-level-retries 3";

/** A run by the local executor. */
export class LocalRun extends FaultRun {
  readonly stage: Stage;
  readonly keys: readonly string[];
  readonly from: Place;
  readonly to: Place;
  /** The folders of POSIX roots. */
  readonly in: string;
  readonly out: string;
  readonly #args: string[];
  #running: { pid: number; result: Promise<Result> } | undefined;
  #result: Result | undefined;

  private constructor(stage: Stage, fault: LocalFault) {
    super(fault.shards ?? 2);
    const { objects = 100, flags = [] } = fault;
    this.stage = stage;
    this.in = join(stage.dir, "in");
    this.out = join(stage.dir, "out");
    this.keys = stage.fill(objects, 40_000);
    if (fault.from) writeTree(this.in, objects);
    this.from = fault.from ? new Folder(this.in) : new Bucket(stage.source, "data");
    this.to = fault.to ? new Folder(this.out) : new Bucket(stage.dest, "copy");
    this.#args = [
      ...(fault.from ? ["--source", this.in] : []),
      ...(fault.to ? ["--dest", this.out] : []),
      ...["--num-shards", String(this.shards), "--rclone-flags", quick, ...flags],
    ];
  }

  static async of(fault: LocalFault): Promise<LocalRun> {
    return new LocalRun(await Stage.start(), fault);
  }

  get conf(): string {
    return this.stage.conf;
  }

  get confText(): string {
    return `${this.source.rcloneSection("src")}\n${this.dest.rcloneSection("dst")}\n`;
  }

  get isStarted(): boolean {
    return this.#running !== undefined;
  }

  get pid(): number {
    if (!this.#running) throw new Error("the run is not started");
    return this.#running.pid;
  }

  /** How the last start ended. */
  get result(): Result {
    if (!this.#result) throw new Error("the run has not ended");
    return this.#result;
  }

  /** Lists, cuts and renders, so that agents can be started by hand. */
  async prepare(): Promise<void> {
    const args = this.stage.runArgs(...this.#args).map((word) => (word === "local" ? "slurm" : word));
    const { code, stderr } = await this.stage.xfer(...args, "--runtime", "host");
    if (code !== 0) throw new Error(stderr);
  }

  /** Only lists. */
  async list(): Promise<void> {
    const roots = { "--source": "src:data", "--dest": "dst:copy" };
    for (const [index, word] of this.#args.entries()) {
      if (word in roots) Object.assign(roots, { [word]: this.#args[index + 1] });
    }
    const { code, stderr } = await this.stage.xfer(
      ...["manifest", "build", "--runtime", "host", ...Object.entries(roots).flat()],
      ...["--rclone-config", this.conf, "--out", join(this.runDir, "manifest.jsonl")],
    );
    if (code !== 0) throw new Error(stderr);
    this.source.resetCounts();
    this.dest.resetCounts();
  }

  /** Gives the next start more flags. */
  add(...flags: string[]): void {
    this.#args.push(...flags);
  }

  async start(): Promise<void> {
    this.#result = undefined;
    this.#running = startXfer(this.stage.runArgs(...this.#args), { cwd: this.dir });
    void this.#running.result.then((result) => {
      this.#result = result;
    });
  }

  isWhole(): boolean {
    return this.result.code === 0 && this.states("done").length === this.shards;
  }

  said(): string {
    const logs = join(this.runDir, "logs");
    const outputs = readdirSync(logs).filter((name) => name.endsWith(".out"));
    return [this.result.stderr, ...outputs.map((name) => readFileSync(join(logs, name), "utf8"))].join("\n");
  }

  get hasEnded(): boolean {
    return this.#result !== undefined;
  }

  async end(): Promise<void> {
    await this.#running?.result;
  }

  /** Starts an agent by hand. */
  agent(shard: number): Promise<Result> {
    return this.stage.xfer("agent", "--run-dir", this.runDir, "--shard", String(shard));
  }

  processes(): number[] {
    return processesWith(this.dir);
  }

  expectNoProcess(): void {
    expect(this.processes()).toEqual([]);
  }
}

/** A run as an array of an ordinary user of the cluster. */
export class SlurmRun extends FaultRun {
  readonly stage: SlurmStage;
  readonly keys: readonly string[];
  readonly from: Place;
  readonly to: Place;
  readonly #args: string[];
  readonly #jobs: string[] = [];
  /** What the last submission said on stderr. */
  submissionSaid = "";
  #prepared = false;

  private constructor(stage: SlurmStage, fault: SlurmFault) {
    super(fault.shards ?? 2);
    this.stage = stage;
    this.keys = stage.fill(fault.objects ?? 120);
    this.from = new Bucket(stage.source, "data");
    this.to = new Bucket(stage.dest, "copy");
    this.#args = [
      ...["--num-shards", String(this.shards), "--rclone-flags", "--transfers 2"],
      ...(fault.flags ?? []),
    ];
  }

  static async of(fault: SlurmFault, cluster: Cluster): Promise<SlurmRun> {
    return new SlurmRun(await SlurmStage.start(cluster, "fault"), fault);
  }

  get cluster(): Cluster {
    return this.stage.cluster;
  }

  get isStarted(): boolean {
    return this.#jobs.length > 0;
  }

  /** The last job that was submitted. */
  get job(): string {
    const job = this.#jobs.at(-1);
    if (job === undefined) throw new Error("nothing is submitted");
    return job;
  }

  /** More words for `xfer slurm submit`, of a fault that it would refuse. */
  submitWords: readonly string[] = [];

  /** Lists, cuts and renders; `more` words go to `xfer run`. */
  async prepare(...more: string[]): Promise<void> {
    const { code, stderr } = await this.stage.xfer(...this.stage.runArgs(...this.#args, ...more));
    if (code !== 0) throw new Error(stderr);
    this.#prepared = true;
  }

  async start(...more: string[]): Promise<void> {
    const again = this.#prepared || this.isStarted;
    const { code, stdout, stderr } = again
      ? await this.stage.xfer("slurm", "submit", "--run-dir", this.runDir, ...this.submitWords, ...more)
      : await this.stage.xfer(...this.stage.runArgs("--submit", ...this.#args));
    if (code !== 0) throw new Error(stderr);
    this.submissionSaid = stderr;
    this.#jobs.push(stdout.trim());
  }

  async end(): Promise<void> {
    await this.cluster.waitForJob(this.job, 300_000);
  }

  isWhole(): boolean {
    return this.states("done").length === this.shards;
  }

  said(): string {
    return this.stage.logs();
  }

  /** The states of the last job's tasks, in their order. */
  async tasks(): Promise<string[]> {
    const tasks = await this.cluster.squeue(this.job);
    return tasks.sort((a, b) => Number(a.taskId) - Number(b.taskId)).map((task) => task.state);
  }

  /** Processes in whose environment Slurm has put one of the run's jobs, in containers too, and what names its folder. */
  processes(): number[] {
    return [...new Set([...processesWith(this.dir), ...this.jobProcesses()])];
  }

  /** Slurm clears up behind a task that has ended. */
  async expectNoProcess(): Promise<void> {
    await until("every process of the run to end", () => this.processes().length === 0, 60_000);
  }

  jobProcesses(): number[] {
    const marks = this.#jobs.map((job) => `SLURM_ARRAY_JOB_ID=${job}\0`);
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        const environment = procText(Number(pid), "environ");
        return marks.some((mark) => environment.includes(mark));
      })
      .map(Number);
  }

  /** The running parts of the run that a kill may hit; one shard a task. */
  victims(kind: "rclone" | "agent" | "slurmstepd"): number[] {
    if (kind === "agent") {
      const running = this.states("attempt").filter(({ outcome }) => outcome === "running");
      return running.map(({ agent }) => agent.pid).filter((pid) => procText(pid, "comm") !== "");
    }
    const rclones = this.jobProcesses().filter((pid) => procText(pid, "comm").trim() === "rclone");
    // An orphan has init for its parent.
    const stepOf = (pid: number) => Number(/\nPPid:\s+(\d+)/.exec(procText(pid, "status"))?.[1] ?? 1);
    const inSteps = rclones.filter((pid) => procText(stepOf(pid), "comm").startsWith("slurmstepd"));
    if (kind === "rclone") return inSteps;
    return inSteps.filter((pid) => this.#isHeard(pid)).map(stepOf);
  }

  /** Whether the agent has read a line of this rclone: before that, a container is given half an hour to start. */
  #isHeard(rclone: number): boolean {
    const shard = Number(/SLURM_ARRAY_TASK_ID=(\d+)/.exec(procText(rclone, "environ"))?.[1]);
    const attempt = state(this.runDir, shard, "attempt")?.attempt;
    if (attempt === undefined) return false;
    const log = this.log(shard, attempt);
    const sincePlan = log.slice(log.lastIndexOf('"msg":"xfer: plan: ')).trimEnd().split("\n").slice(1);
    return sincePlan.length > 0 && sincePlan.every((line) => !line.includes('"msg":"xfer: '));
  }
}

function procText(pid: number, name: "environ" | "comm" | "status"): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // It has ended.
  }
}
