import { expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sampleObjects } from "../data/fill.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { limitMs, patience } from "../setup/pace.ts";

/** The compiled binary, built by `bun run test` and `bun run build`. */
export const binary = join(import.meta.dir, "..", "..", "dist", "xfer");

/** Generous: two noisy cores. */
export const timeoutMs = limitMs(180_000);

/** A directory with an awkward name that is removed when it goes out of scope. */
export function temporaryDirectory(
  name = "xfer test 'q' ",
  parent = tmpdir(),
): { path: string } & Disposable {
  const path = mkdtempSync(join(parent, name));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes a data set, of names that a POSIX tree can hold as they are, as files: an object's name is a file's. */
export function writeTree(dir: string, count: number): Map<string, { body: Uint8Array; mtime: Date }> {
  const files = new Map<string, { body: Uint8Array; mtime: Date }>();
  for (const { key, body, mtime } of sampleObjects(count, 200_000)) {
    const path = join(dir, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, body);
    utimesSync(path, mtime, mtime);
    files.set(key, { body, mtime });
  }
  return files;
}

/** How a program ended. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** A line of progress, which is printed where nobody watches a terminal when a step takes more than 10 s. */
const progressLine = /^(?:[a-z' ]+: [\d.,]+ (?:[KMGT]iB|B|objects?)\b.*|[\d.]+% {2}.*)\n/gm;

/** What a program said on stderr beside its progress, of which a slow machine sees more. */
export const saidIn = (stderr: string): string => stderr.replace(progressLine, "");

/** A program under way. */
export interface Running {
  pid: number;
  result: Promise<Result>;
}

/** Starts the binary in a cleaned environment. */
export function startXfer(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Running {
  if (!existsSync(binary)) throw new Error(`${binary} is not built: bun run build`);
  const env = { PATH: process.env.PATH ?? "", HOME: options.cwd, LANG: "C.UTF-8", ...options.env };
  const child = Bun.spawn([binary, ...args], {
    cwd: options.cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const result = Promise.all([child.exited, child.stdout.text(), child.stderr.text()]).then(
    ([code, stdout, stderr]) => ({ code, stdout, stderr }),
  );
  return { pid: child.pid, result };
}

/** Words before a command that take root's right to read and write what modes forbid: every machine has setpriv(1). */
const withoutOverride =
  process.getuid?.() === 0
    ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--"]
    : [];

/** Runs the binary to its end as somebody for whom modes count. */
export async function xferUnderModes(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<Result> {
  const env = { PATH: process.env.PATH ?? "", HOME: options.cwd, LANG: "C.UTF-8", ...options.env };
  const child = Bun.spawn([...withoutOverride, binary, ...args], {
    cwd: options.cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, stdout, stderr };
}

/** Runs the binary to its end. */
export function xfer(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<Result> {
  return startXfer(args, options).result;
}

/** Polls until `probe` gives something; fails, saying what was waited for, when it never does. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  idleWaitMs = 90_000,
): Promise<NonNullable<T>> {
  const isOver = patience(idleWaitMs);
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (isOver()) throw new Error(`waited in vain for ${what}`);
    await Bun.sleep(50);
  }
}

/** Two S3 endpoints and an rclone.conf that names them `src` and `dst`; all gone when it goes out of scope. */
export class Stage implements AsyncDisposable {
  readonly dir: string;
  readonly conf: string;
  readonly source: S3Endpoint;
  readonly dest: S3Endpoint;
  readonly #temp: Disposable;

  private constructor(temp: { path: string } & Disposable, source: S3Endpoint, dest: S3Endpoint) {
    this.#temp = temp;
    this.dir = temp.path;
    this.source = source;
    this.dest = dest;
    this.conf = join(this.dir, "rclone.conf");
    writeFileSync(this.conf, `${source.rcloneSection("src")}\n${dest.rcloneSection("dst")}\n`, {
      mode: 0o600,
    });
  }

  static async start(keys: { secretAccessKey?: string } = {}): Promise<Stage> {
    const temp = temporaryDirectory();
    const source = await S3Endpoint.start({ ...keys, buckets: ["data"] });
    return new Stage(temp, source, await S3Endpoint.start({ ...keys, buckets: ["copy"] }));
  }

  /** Puts a small data set, hostile names included, into the source; returns its keys. */
  fill(count: number, largestBytes = 300_000): string[] {
    const keys: string[] = [];
    for (const { key, body, mtime } of sampleObjects(count, largestBytes)) {
      this.source.put("data", key, body, { mtime });
      keys.push(key);
    }
    this.source.resetCounts();
    this.dest.resetCounts();
    return keys;
  }

  /** The arguments of a local run from one endpoint to the other; later ones win. */
  runArgs(...more: string[]): string[] {
    return [
      ...[
        "run",
        "--executor",
        "local",
        "--source",
        "src:data",
        "--dest",
        "dst:copy",
        "--rclone-config",
        this.conf,
      ],
      ...["--run-dir", this.runDir, ...more],
    ];
  }

  get runDir(): string {
    return join(this.dir, "run");
  }

  xfer(...args: string[]): Promise<Result> {
    return xfer(args, { cwd: this.dir });
  }

  /** Fails unless the destination holds every source object with equal bytes and modification time. */
  async expectEqual(keys: readonly string[]): Promise<void> {
    expect(await differentKeys(this.source, this.dest, keys)).toEqual([]);
    expect(this.dest.keys("copy").length).toBe(keys.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.stop();
    await this.dest.stop();
    this.#temp[Symbol.dispose]();
  }
}

/** The keys of which bucket `copy` of `dest` does not hold what `data` of `source` does: bytes and modification time. */
export async function differentKeys(
  source: S3Endpoint,
  dest: S3Endpoint,
  keys: readonly string[],
): Promise<string[]> {
  const different: string[] = [];
  for (const key of keys) {
    const [one, other] = await Promise.all([source.get("data", key), dest.get("copy", key)]);
    const seconds = (from: S3Endpoint, bucket: string) => Number(from.head(bucket, key)?.metadata.mtime);
    const sameTime = Math.abs(seconds(source, "data") - seconds(dest, "copy")) < 1e-6;
    if (!one || !other || !Buffer.from(one).equals(other) || !sameTime) different.push(key);
  }
  return different;
}

/** A state file of a shard as JSON, or undefined while there is none. */
export function state(
  runDir: string,
  shard: number,
  kind: "done" | "fail" | "attempt" | "progress",
): State | undefined {
  const path = join(runDir, "state", `shard_${shard}.${kind}`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as State) : undefined;
}

/** What the tests look at in a state file. */
export interface State {
  records: number;
  attempt: number;
  spent: number;
  preemptions: number;
  lost_starts: number;
  early_stops: number;
  bad_nodes: string[];
  transfers: number | null;
  class: string;
  final: boolean;
  proven: number;
  copied: number;
  objects_done: number;
  throttled: number;
  outcome: string;
  stopped_by: string | null;
  other_stops: number;
  child: { pid: number } | null;
  agent: { pid: number };
  errors: { path: string; class: string; message: string }[];
  message: string;
}

/** The pids of processes whose command line has `text` in it. */
export function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Sends a signal to a process that may be gone already. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it has ended.
  }
}
