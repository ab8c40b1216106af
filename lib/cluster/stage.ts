import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { runLayout } from "../run/layout.ts";
import { travels } from "../run/travels.ts";
import { writeFileDurable } from "../system/durable.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { sha256OfFile } from "../system/file-digest.ts";
import { quoteWords } from "../system/shell-words.ts";
import type { FarEnd } from "./far-end.ts";
import { arrivedBytes, receiveFiles, sendFiles, type WantedFile } from "./file-stream.ts";
import { filesThatTravel } from "./inventory.ts";

const fileSchema = v.strictObject({ path: v.string(), size: v.number(), sha256: v.string() });

/** What the workstation has of a run directory, and where it is to be at the cluster. */
export const stageRequestSchema = v.strictObject({
  schema: v.literal("xfer.stage.v1"),
  /** An absolute path at the cluster. */
  dir: v.string(),
  files: v.array(fileSchema),
});

type StageRequest = v.InferOutput<typeof stageRequestSchema>;

/** What the cluster lacks of it. */
const stageAnswerSchema = v.strictObject({
  wanted: v.array(v.strictObject({ path: v.string(), offset: v.number() })),
});

/**
 * At the cluster: which files are not there with this content, and how many bytes of each have arrived. Throws invalid input
 * when another run has left its state there, whose shards these would replace.
 */
export async function planStage(request: StageRequest): Promise<v.InferOutput<typeof stageAnswerSchema>> {
  const wanted: WantedFile[] = [];
  const run = runLayout(request.dir);
  for (const { path, size, sha256 } of request.files) {
    const full = join(request.dir, path);
    const isThere = existsSync(full) && (await sha256OfFile(full)) === sha256;
    if (isThere) continue;
    const arrived = arrivedBytes(request.dir, path);
    wanted.push({ path, offset: arrived <= size ? arrived : 0 });
  }
  if (wanted.some(({ path }) => isPlan(path)) && hasState(run.stateDir)) {
    throw invalidInput(
      `${request.dir}: holds the state of a run with other shards or another configuration: choose another run directory, ` +
        "or remove that one",
    );
  }
  return { wanted };
}

const isPlan = (path: string) => path.startsWith("shards/") || path === "config.resolved.json";

function hasState(dir: string): boolean {
  return existsSync(dir) && readdirSync(dir).length > 0;
}

/** At the cluster: takes the files, and names the agent's binary for them. */
export async function receiveStage(
  dir: string,
  binary: string,
  stream: AsyncIterable<Uint8Array>,
): Promise<void> {
  await receiveFiles(
    dir,
    stream,
    (path) => travels(path, "stage"),
    () => undefined,
  );
  writeFileDurable(runLayout(dir).agentPath, `${binary}\n`);
}

/** What was staged. */
export interface Staged {
  files: number;
  bytes: number;
  /** How many files were there already. */
  unchanged: number;
}

/** What ends a journey of files early, and which of them go along; all, where that is not said. */
export interface TravelOptions {
  stop: AbortSignal;
  only?: (path: string) => boolean;
}

export const isWanted = ({ only }: TravelOptions, { path }: { path: string }): boolean =>
  only?.(path) ?? true;

/**
 * Sends a run directory to a cluster: what is there with the same content stays, what was cut off goes on. Logs and state are
 * never sent, nor is rclone.conf, which is in no run directory.
 */
export async function stage(
  end: FarEnd,
  far: { binary: string; dir: string },
  localDir: string,
  options: TravelOptions & { onProgress: (bytes: number, of: number) => void },
): Promise<Staged> {
  const files: StageRequest["files"] = [];
  for (const { path, size } of filesThatTravel(localDir, "stage").filter((file) => isWanted(options, file))) {
    files.push({ path, size, sha256: await sha256OfFile(join(localDir, path)) });
  }
  const request: StageRequest = { schema: "xfer.stage.v1", dir: far.dir, files };
  const plan = await call(end, [far.binary, "far", "plan"], bytesOf(JSON.stringify(request)), options.stop);
  const { wanted } = v.parse(stageAnswerSchema, JSON.parse(plan));
  const sizes = new Map(files.map(({ path, size }) => [path, size]));
  const bytes = wanted.reduce((sum, { path, offset }) => sum + (sizes.get(path) ?? 0) - offset, 0);
  let sent = 0;
  const counted = (async function* () {
    for await (const chunk of sendFiles(localDir, wanted)) {
      sent += chunk.length;
      options.onProgress(Math.min(sent, bytes), bytes);
      yield chunk;
    }
  })();
  await call(
    end,
    [far.binary, "far", "receive", "--dir", far.dir, "--binary", far.binary],
    counted,
    options.stop,
  );
  return { files: wanted.length, bytes, unchanged: files.length - wanted.length };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Runs one of xfer's own commands at the far end and returns its stdout. Throws with what it said when it fails. */
export async function call(
  end: FarEnd,
  words: readonly string[],
  input: AsyncIterable<Uint8Array>,
  stop: AbortSignal,
): Promise<string> {
  const { code, stdout, stderr } = await end.run(`exec ${quoteWords(words)}`, { input, stop });
  if (code === 0) return stdout;
  const said =
    stderr
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^xfer: /, "") ?? "";
  const message = `${end.host}: ${said === "" ? `xfer ended with exit code ${code}` : said}`;
  throw code === 2 ? invalidInput(message) : operationFailed(message);
}
