import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ListingTotals, writeListing } from "../manifest/write-listing.ts";
import { lsjsonArgv, type ModtimeMode } from "../rclone/argv.ts";
import { tellingMessage } from "../rclone/failure-class.ts";
import { rootKind } from "../rclone/remote.ts";
import { type RuntimeName, rcloneVariables, wrapCommand } from "../rclone/runtime.ts";
import { removeIfAny } from "../system/durable.ts";
import { errnoOf, messageOf, operationFailed } from "../system/errors.ts";
import { stoppedError, stopReason } from "../system/interrupt.ts";
import { forEachLine } from "../system/lines.ts";
import { type Child, childEnvironment, startChild } from "../system/process.ts";
import { quoteWords } from "../system/shell-words.ts";
import { mountsFor } from "./mounts.ts";
import { readRemotes } from "./remotes.ts";

/** When hashes are listed: "auto" takes them where they are free, from the ETags of S3. */
export const hashModes = ["auto", "on", "off"] as const;

/** What a manifest is built from. */
export interface BuildOptions {
  sourceRoot: string;
  destRoot: string;
  out: string;
  runId: string;
  runtime: RuntimeName;
  image: string | undefined;
  configPath: string | undefined;
  confInContainer: string;
  recursive: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: (typeof hashModes)[number];
  extraLsjsonFlags: readonly string[];
  pyxisExtra: readonly string[];
  verbosity: number;
  /** Where an xfer-err folder is made when the listing fails. */
  errorDir: string;
  onProgress: (totals: ListingTotals) => void;
  /** Aborted to stop the listing. */
  stop: AbortSignal;
}

/** What was listed, and what rclone said that it left out. */
export interface BuildResult extends ListingTotals {
  /** Symbolic links, devices and the like: rclone copies none of them. */
  leftOut: number;
  firstLeftOut: string | undefined;
}

/** CPUs of the listing step under pyxis. */
const listingCpus = 8;
const tailBytesMax = 64 * 1024;

/**
 * Lists the source once through rclone into a manifest, which appears only if the whole listing ended well.
 * Throws operation failed otherwise, naming the error log that it wrote under xfer-err.
 */
export async function buildManifest(options: BuildOptions): Promise<BuildResult> {
  const argv = listingCommand(options);
  const child = startChild(argv, { env: childEnvironment() });
  const stopChild = () => child.signalGroup("SIGTERM");
  options.stop.addEventListener("abort", stopChild);
  const stderr = new Tail();
  const stdout = new Tail();
  const left: string[] = [];
  let leftOut = 0;
  const readStderr = forEachLine(child.stderr, ({ bytes }) => {
    stderr.add(bytes);
    const line = new TextDecoder().decode(bytes);
    if (options.verbosity > 0) process.stderr.write(`${line}\n`);
    if (/Can't follow symlink|Can't transfer non file\/directory/.test(line)) {
      leftOut++;
      if (left.length === 0) left.push(line);
    }
  });
  try {
    const pending = await writeListing({
      stream: stdout.watch(child.stdout),
      manifestPath: options.out,
      origin: { runId: options.runId, sourceRoot: options.sourceRoot, destRoot: options.destRoot },
      onProgress: options.onProgress,
    });
    const problem = await endProblem(child, readStderr, pending.totals.objects, options.sourceRoot);
    if (problem) {
      pending.abort();
      throw operationFailed(problem);
    }
    pending.commit();
    return { ...pending.totals, leftOut, firstLeftOut: left[0] };
  } catch (error) {
    stopChild();
    await Promise.allSettled([readStderr, child.exited]);
    const reason = stopReason(options.stop);
    if (reason) throw stoppedError(reason, "no manifest was written; run the same command again");
    const exit = await child.exited;
    const said = lastWords(stderr.text());
    const log = writeErrorLog({ options, argv, error, exitCode: exit.code, stdout, stderr });
    const because = exit.code !== 0 && exit.signal === null && said ? `${said}` : messageOf(error);
    throw operationFailed(`listing ${options.sourceRoot} failed: ${because} (details: ${log})`);
  } finally {
    options.stop.removeEventListener("abort", stopChild);
  }
}

async function endProblem(
  child: Child,
  readStderr: Promise<unknown>,
  objects: number,
  root: string,
): Promise<string | undefined> {
  const [exit] = await Promise.all([child.exited, readStderr]);
  if (exit.code !== 0) return `the lister ended with exit code ${exit.code}`;
  if (objects === 0) return `no object was found under ${root}: check the bucket and prefix`;
  return undefined;
}

function listingCommand(options: BuildOptions): string[] {
  const { runtime, configPath, confInContainer } = options;
  const inContainer = runtime !== "host";
  const kind = rootKind(options.sourceRoot, readRemotes(configPath), process.env);
  const argv = lsjsonArgv({
    root: options.sourceRoot,
    configPath: inContainer && configPath !== undefined ? confInContainer : configPath,
    recursive: options.recursive,
    fastList: options.fastList,
    modtime: options.modtime,
    hash: options.hash === "on" || (options.hash === "auto" && kind === "s3"),
    verbosity: options.verbosity,
    extraFlags: options.extraLsjsonFlags,
  });
  return wrapCommand(argv, {
    runtime,
    image: options.image,
    cpus: listingCpus,
    pyxisExtra: options.pyxisExtra,
    keepFromImage: rcloneVariables(process.env),
    mounts: mountsFor({ runtime, configPath, confInContainer, readOnly: [options.sourceRoot], writable: [] }),
  });
}

/** The last bytes of a stream, for an error log. */
class Tail {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice(-tailBytesMax), new Uint8Array([0x0a]));
    this.#bytes += bytes.length + 1;
    this.#trim();
  }

  async *watch(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      this.#parts.push(chunk.slice(-tailBytesMax));
      this.#bytes += chunk.length;
      this.#trim();
      yield chunk;
    }
  }

  #trim(): void {
    if (this.#bytes < 2 * tailBytesMax) return;
    const all = Buffer.concat(this.#parts).subarray(-tailBytesMax);
    this.#parts = [all];
    this.#bytes = all.length;
  }

  text(): string {
    return Buffer.concat(this.#parts).subarray(-tailBytesMax).toString("utf8");
  }
}

/** The line that tells most of what went wrong, without rclone's date. */
function lastWords(stderr: string): string | undefined {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim().replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /, ""));
  const telling = lines.filter((line) => /error|fail|fatal|critical|unable|not found|denied/i.test(line));
  return (tellingMessage(telling) ?? lines.findLast((line) => line !== ""))?.slice(0, 400);
}

function writeErrorLog(failure: {
  options: BuildOptions;
  argv: string[];
  error: unknown;
  exitCode: number;
  stdout: Tail;
  stderr: Tail;
}): string {
  const { options, argv, error, exitCode, stdout, stderr } = failure;
  const slurm = Object.entries(process.env)
    .filter(([name]) => name.startsWith("SLURM_"))
    .map(([name, value]) => `${name}=${value}`);
  const text = [
    `error: ${messageOf(error)}`,
    `exit code: ${exitCode}`,
    `command: ${quoteWords(argv)}`,
    "",
    "== SLURM environment ==",
    ...slurm.sort(),
    "",
    "== end of stdout ==",
    stdout.text(),
    "== stderr ==",
    stderr.text(),
    "",
  ].join("\n");
  const dir = join(options.errorDir, "xfer-err");
  const path = join(dir, `manifest-build_${options.runId}.log`);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(path, text);
    return path;
  } catch (logError) {
    removeIfAny(path);
    return `no log: ${dir} cannot be written: ${errnoOf(logError) ?? messageOf(logError)}`;
  }
}
