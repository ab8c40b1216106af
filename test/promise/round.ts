import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Endpoint } from "../s3/endpoint.ts";
import { paced } from "../setup/pace.ts";
import { rclones } from "../setup/rclones.ts";
import { binary, kill, processesWith, until } from "../stage/harness.ts";
import { accountIn, readRunFiles } from "./evidence.ts";
import { textOf } from "./names.ts";
import type { Evidence } from "./oracle.ts";
import type { Kill, RoundFault, Scenario } from "./scenario.ts";
import { BucketStore, type Contents, FolderStore, type Store } from "./stores.ts";

/** An ordinary user, whom a file's mode hinders. */
const ordinaryUser = 65_534;
const isRoot = process.getuid?.() === 0;

/** A start that has not ended by then hangs: the longest wait of an agent is a minute of silence. */
const startLimitMs = paced(150_000);

/** The programs of the rounds, where every user can run them. */
export class Programs implements Disposable {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async prepare(): Promise<Programs> {
    const dir = mkdtempSync(join(tmpdir(), "xfer-promise-"));
    chmodSync(dir, 0o755);
    copyFileSync(binary, join(dir, "xfer"));
    for (const { name, path } of await rclones()) {
      mkdirSync(join(dir, name));
      copyFileSync(path, join(dir, name, "rclone"));
    }
    return new Programs(dir);
  }

  get xfer(): string {
    return join(this.dir, "xfer");
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Plays a round to its end, and gives all that it has shown. */
export async function playRound(scenario: Scenario, programs: Programs): Promise<Evidence> {
  await using stage = await RoundStage.set(scenario, programs);
  return await stage.play();
}

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  hung: boolean;
}

class RoundStage implements AsyncDisposable {
  readonly #scenario: Scenario;
  readonly #programs: Programs;
  readonly #dir: string;
  readonly #endpoints: S3Endpoint[] = [];
  #shards: number;

  private constructor(scenario: Scenario, programs: Programs) {
    this.#scenario = scenario;
    this.#shards = scenario.shards;
    this.#programs = programs;
    this.#dir = mkdtempSync(join(programs.dir, `round ${scenario.seed} `));
    if (this.#owner !== undefined) chownSync(this.#dir, this.#owner, this.#owner);
  }

  static async set(scenario: Scenario, programs: Programs): Promise<RoundStage> {
    const stage = new RoundStage(scenario, programs);
    for (const bucket of ["data", "copy"]) {
      const directory = join(stage.#dir, `endpoint ${bucket}`);
      stage.#endpoints.push(await S3Endpoint.start({ directory, buckets: [bucket] }));
    }
    return stage;
  }

  /** Whose the files are and who runs xfer, where that is not the one who runs the tests. */
  get #owner(): number | undefined {
    return isRoot && this.#scenario.closed.length > 0 ? ordinaryUser : undefined;
  }

  async play(): Promise<Evidence> {
    const scenario = this.#scenario;
    const source = this.#store("source");
    const dest = this.#store("dest");
    source.fill(scenario.objects);
    dest.fill(scenario.present);
    const [listed, before] = [await source.contents(), await dest.contents()];
    for (const fault of scenario.faults) this.#inject(fault);
    const closing = source instanceof FolderStore ? scenario.closed.toReversed() : [];
    for (const name of closing) (source as FolderStore).close(name);
    let last: Ended;
    try {
      for (const kills of scenario.starts) {
        const { hung, ...ended } = await this.#start(kills);
        if (hung) return this.#evidence({ ...ended, hung }, { source: listed, before, dest: before });
      }
      last = await this.#start([]);
    } finally {
      for (const name of closing.toReversed()) (source as FolderStore).open(name);
    }
    return this.#evidence(last, { source: listed, before, dest: await dest.contents() });
  }

  async #evidence(
    { code, stdout, stderr, hung }: Ended,
    contents: { source: Contents; before: Contents; dest: Contents },
  ): Promise<Evidence> {
    return {
      code,
      stderr,
      hung,
      account: accountIn(stdout),
      files: readRunFiles(join(this.#dir, "run")),
      left: await this.#processesLeft(),
      ...contents,
    };
  }

  #store(side: "source" | "dest"): Store {
    const bucket = side === "source" ? "data" : "copy";
    return this.#scenario[side] === "s3"
      ? new BucketStore(this.#endpointOf(side), bucket)
      : new FolderStore(join(this.#dir, bucket), this.#owner);
  }

  #endpointOf(side: "source" | "dest"): S3Endpoint {
    const endpoint = this.#endpoints[side === "source" ? 0 : 1];
    if (!endpoint) throw new Error("the endpoints are not started");
    return endpoint;
  }

  #inject({ at, kinds, action, name, times }: RoundFault): void {
    const match = name === undefined ? undefined : ({ key }: { key: string }) => key === textOf(name);
    const rule = { kinds, action, ...(match && { match }), ...(times !== undefined && { times }) };
    this.#endpointOf(at).inject(rule);
  }

  /** One start of the command, the same each time, with its kills. */
  async #start(kills: readonly Kill[]): Promise<Ended> {
    const slow = kills.length > 0 ? this.#slowDown() : undefined;
    const child = Bun.spawn([...this.#asUser(), this.#programs.xfer, ...this.#words()], {
      cwd: this.#dir,
      env: {
        PATH: `${join(this.#programs.dir, this.#scenario.rclone)}:/usr/local/bin:/usr/bin:/bin`,
        HOME: this.#dir,
        LANG: "C.UTF-8",
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const timers = kills.map((one) => setTimeout(() => this.#kill(one, child.pid), one.afterMs));
    let hung = false;
    timers.push(
      setTimeout(() => {
        hung = true;
        for (const pid of processesWith(this.#dir)) kill(pid, "SIGKILL");
      }, startLimitMs),
    );
    const [code, stdout, stderr] = await Promise.all([
      child.exited,
      child.stdout.text(),
      child.stderr.text(),
    ]);
    for (const timer of timers) clearTimeout(timer);
    slow?.();
    // Of few objects, some of them untransferable, there may be fewer records than drawn shards: do as it says.
    const most = code === 2 ? Number(/: use at most (\d+), or auto/.exec(stderr)?.[1]) : Number.NaN;
    if (most >= 1 && most < this.#shards) {
      this.#shards = most;
      return this.#start(kills);
    }
    return { code, stdout, stderr, hung };
  }

  /** Requests that take so long that a kill meets the run in its middle. */
  #slowDown(): () => void {
    const rule = { kinds: ["GET" as const, "PUT" as const], action: { delayMs: 30 } };
    const releases = this.#endpoints.map((endpoint) => endpoint.inject(rule));
    return () => {
      for (const release of releases) release();
    };
  }

  #asUser(): string[] {
    return this.#owner === undefined
      ? []
      : ["setpriv", `--reuid=${this.#owner}`, `--regid=${this.#owner}`, "--clear-groups", "--"];
  }

  #words(): string[] {
    const { strategy, flags } = this.#scenario;
    const conf = join(this.#dir, "rclone.conf");
    const [src, dst] = [this.#endpointOf("source"), this.#endpointOf("dest")];
    writeFileSync(conf, `${src.rcloneSection("src")}\n${dst.rcloneSection("dst")}\n`, { mode: 0o600 });
    if (this.#owner !== undefined) chownSync(conf, this.#owner, this.#owner);
    const root = (side: "source" | "dest", remote: string, bucket: string) =>
      this.#scenario[side] === "s3" ? `${remote}:${bucket}` : join(this.#dir, bucket);
    const patience = ["--retries", "3", "--retries-sleep", "10ms", "--low-level-retries", "3"];
    return [
      ...["run", "--executor", "local", "--json", "--run-dir", join(this.#dir, "run")],
      ...["--source", root("source", "src", "data"), "--dest", root("dest", "dst", "copy")],
      ...["--rclone-config", conf, "--num-shards", String(this.#shards), "--strategy", strategy],
      ...["--array-concurrency", "2", "--max-attempts", "2"],
      `--rclone-flags=${[...patience, ...flags].join(" ")}`,
    ];
  }

  #kill({ who, signal }: Kill, xferPid: number): void {
    const others = processesWith(this.#dir).filter((pid) => pid !== xferPid);
    const victim = who === "xfer" ? xferPid : others.find((pid) => roleOf(pid) === who);
    if (victim !== undefined) kill(victim, signal);
  }

  /** What is still there a while after the last start: an rclone that lost its reader ends at its next line. */
  async #processesLeft(): Promise<string[]> {
    const left = () => processesWith(this.#dir);
    try {
      await until("the round's processes to end", () => left().length === 0, 8_000);
      return [];
    } catch {
      return left().map((pid) => {
        const words = commandLine(pid).join(" ");
        kill(pid, "SIGKILL");
        return words;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const endpoint of this.#endpoints) await endpoint.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function roleOf(pid: number): Kill["who"] {
  const [program = "", verb] = commandLine(pid);
  if (program.endsWith("rclone")) return "rclone";
  return verb === "agent" ? "agent" : "xfer";
}
