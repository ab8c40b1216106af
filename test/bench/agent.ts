import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readFirstRecord } from "../../lib/manifest/read.ts";
import { splitWords } from "../../lib/system/shell-words.ts";
import { writeSeededManifest } from "../data/manifest.ts";
import { S3Endpoint } from "../s3/endpoint.ts";
import { binary } from "../stage/harness.ts";
import { type Measured, measure } from "./measure.ts";

/** Objects of the shard whose copy is timed, and of the shard whose memory is looked at. */
const smallObjects = 5_000;
const objectBytes = 1_000;
const manyRecords = 1_000_000;
/** Fewer runs do not show a difference of some tenths of a second. */
const repeatsMin = 5;

const out = (text: string) => process.stdout.write(`${text}\n`);
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Runs the binary; throws with what it said when it fails. */
async function mustXfer(cwd: string, ...args: string[]): Promise<void> {
  const result = await measure([binary, ...args], cwd);
  if (result.code !== 0) throw new Error(`xfer ${args.join(" ")}: ${result.stderr}`);
}

/** Two endpoints, an rclone.conf for them, and a directory. */
class AgentStage implements AsyncDisposable {
  readonly conf: string;
  readonly runDir: string;
  /** When the first request since `watch` came to either endpoint. */
  #firstRequest: number | undefined;

  private constructor(
    readonly dir: string,
    readonly source: S3Endpoint,
    readonly dest: S3Endpoint,
  ) {
    this.conf = join(dir, "rclone.conf");
    this.runDir = join(dir, "run");
    const sections = `${source.rcloneSection("src")}\n${dest.rcloneSection("dst")}\n`;
    writeFileSync(this.conf, sections, { mode: 0o600 });
    for (const endpoint of [source, dest]) {
      endpoint.inject({
        match: () => {
          this.#firstRequest ??= performance.now();
          return false;
        },
        action: "internal-error",
      });
    }
  }

  static async start(parent: string): Promise<AgentStage> {
    const dir = mkdtempSync(join(parent, "xfer-bench-agent-"));
    const source = await S3Endpoint.start({ buckets: ["bucket"] });
    return new AgentStage(dir, source, await S3Endpoint.start({ buckets: ["bucket"] }));
  }

  /** Measures a program and the seconds until its first request. */
  async run(argv: readonly string[]): Promise<Measured & { firstRequestSeconds: number }> {
    this.#firstRequest = undefined;
    const started = performance.now();
    const measured = await measure(argv, this.dir);
    if (measured.code !== 0) throw new Error(`${argv.join(" ")}: ${measured.stderr.slice(-2000)}`);
    return { ...measured, firstRequestSeconds: ((this.#firstRequest ?? Number.NaN) - started) / 1000 };
  }

  agent(): Promise<Measured & { firstRequestSeconds: number }> {
    return this.run([binary, "agent", "--run-dir", this.runDir, "--shard", "0"]);
  }

  /** Forgets what was copied. */
  forget(): void {
    for (const key of this.dest.keys("bucket")) this.dest.remove("bucket", key);
    for (const part of ["state", "logs"]) {
      rmSync(join(this.runDir, part), { recursive: true, force: true });
      mkdirSync(join(this.runDir, part));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.stop();
    await this.dest.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The rclone command that the agent's log tells, with the keys in a file that stays. */
function rcloneCommand(stage: AgentStage, keys: string): string[] {
  const log = readFileSync(join(stage.runDir, "logs", "shard_0_attempt_1.log"), "utf8");
  const line = log.split("\n").find((one) => one.includes("xfer: plan: ")) ?? "";
  const { msg } = JSON.parse(line) as { msg: string };
  const words = splitWords(msg.slice(msg.indexOf("rclone copy ")), "the plan");
  return words.map((word, i) => (words[i - 1] === "--files-from-raw" ? keys : word));
}

async function timeCopies(dir: string, repeats: number): Promise<void> {
  await using stage = await AgentStage.start(dir);
  const keys: string[] = [];
  for (let i = 0; i < smallObjects; i++) {
    const key = `set/run-${i % 50}/object-${String(i).padStart(5, "0")}`;
    stage.source.put("bucket", key, `${key} `.padEnd(objectBytes, "x"));
    keys.push(key);
  }
  const keyFile = join(stage.dir, "keys");
  writeFileSync(keyFile, `${keys.join("\n")}\n`);
  await mustXfer(
    stage.dir,
    ...["run", "--runtime", "host", "--source", "src:bucket", "--dest", "dst:bucket", "--num-shards", "1"],
    ...["--rclone-config", stage.conf, "--run-dir", stage.runDir],
  );
  // A first run brings programs and objects into memory, and tells the command.
  await stage.agent();
  const rclone = rcloneCommand(stage, keyFile);
  const runs = { agent: [] as Measured[], rclone: [] as Measured[] };
  const first = { agent: [] as number[], rclone: [] as number[] };
  for (let round = 0; round < repeats; round++) {
    const order = round % 2 === 0 ? (["agent", "rclone"] as const) : (["rclone", "agent"] as const);
    for (const name of order) {
      stage.forget();
      const result = name === "agent" ? await stage.agent() : await stage.run(rclone);
      if (stage.dest.keys("bucket").length !== smallObjects) throw new Error(`${name}: not all was copied`);
      runs[name].push(result);
      first[name].push(result.firstRequestSeconds);
    }
  }
  out(
    `\nthe agent beside bare rclone with the same flags and keys: ${smallObjects.toLocaleString("en-US")} objects of ` +
      `${objectBytes} bytes, S3 to S3, ${repeats} runs each in turn`,
  );
  out(
    ["", "median", "least", "most", "first request", "CPU"]
      .map((cell, i) => (i ? cell.padStart(14) : cell.padEnd(10)))
      .join(""),
  );
  for (const name of ["agent", "rclone"] as const) {
    const seconds = runs[name].map((run) => run.seconds);
    const cells = [
      median(seconds),
      Math.min(...seconds),
      Math.max(...seconds),
      median(first[name]),
      median(runs[name].map((run) => run.cpuSeconds)),
    ];
    out(name.padEnd(10) + cells.map((cell) => `${cell.toFixed(2)} s`.padStart(14)).join(""));
  }
  const [ours, bare] = [runs.agent, runs.rclone].map((all) => all.map((run) => run.seconds));
  const differences = (ours ?? []).map((seconds, round) => seconds - (bare?.[round] ?? 0));
  out(
    `agent / rclone ${(median(ours ?? []) / median(bare ?? [])).toFixed(3)}; difference in a round: median ` +
      `${median(differences).toFixed(2)} s, from ${Math.min(...differences).toFixed(2)} to ${Math.max(...differences).toFixed(2)} s; ` +
      `the agent's own peak RSS ${(Math.max(...runs.agent.map((run) => run.peakBytes)) / 1e6).toFixed(0)} MB`,
  );
}

/** A shard of which the journal proves all but the last record. */
async function lookAtMemory(dir: string): Promise<void> {
  await using stage = await AgentStage.start(dir);
  mkdirSync(stage.runDir);
  const manifest = join(stage.runDir, "manifest.jsonl");
  writeSeededManifest(manifest, manyRecords, 3);
  const shards = join(stage.runDir, "shards");
  await mustXfer(stage.dir, "manifest", "shard", "--in", manifest, "--outdir", shards, "--num-shards", "1");
  await mustXfer(
    stage.dir,
    ...["slurm", "render", "--runtime", "host", "--run-dir", stage.runDir, "--rclone-config", stage.conf],
  );
  const meta = JSON.parse(readFileSync(join(shards, "shards.meta.json"), "utf8")) as {
    shards: { sha256: string }[];
  };
  const tail = join(stage.dir, "tail.jsonl");
  const lines = readFileSync(join(shards, "shard_000000.jsonl"), "utf8").trimEnd();
  writeFileSync(tail, `${lines.slice(lines.lastIndexOf("\n") + 1)}\n`);
  stage.source.put("bucket", `set/${(await readFirstRecord(tail)).path}`, "the last one");
  let journal = `xfer.journal.v1 ${meta.shards[0]?.sha256 ?? ""}\n`;
  for (let place = 0; place < manyRecords - 1; place++) journal += `c${place}\n`;
  stage.forget();
  writeFileSync(join(stage.runDir, "state", "shard_0.journal"), journal);
  const { seconds, peakBytes, firstRequestSeconds } = await stage.agent();
  if (stage.dest.keys("bucket").length !== 1) throw new Error("the one record was not copied alone");
  out(
    `\na shard of ${manyRecords.toLocaleString("en-US")} records, all proven but one: ${seconds.toFixed(2)} s, first request ` +
      `after ${firstRequestSeconds.toFixed(2)} s, the agent's peak RSS ${(peakBytes / 1e6).toFixed(0)} MB`,
  );
}

/** What the agent costs beside the rclone that it runs, and its memory. Prints. */
export async function benchAgent(dir: string, repeats: number): Promise<void> {
  await timeCopies(dir, Math.max(repeats, repeatsMin));
  await lookAtMemory(dir);
}
