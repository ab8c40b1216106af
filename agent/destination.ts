import { readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { parseRoot } from "../lib/rclone/remote.ts";
import { stepVariables } from "../lib/rclone/runtime.ts";
import type { RunConfig } from "../lib/run/config.ts";
import type { RunLayout } from "../lib/run/layout.ts";
import { stepCommand } from "../lib/run/step.ts";
import { removeIfAny, writeFileDurable } from "../lib/system/durable.ts";
import { errnoOf } from "../lib/system/errors.ts";
import { sleep } from "../lib/system/interrupt.ts";
import { childEnvironment, identifyProcess, isRunning, startChild } from "../lib/system/process.ts";

const destinationSchema = v.object({
  schema: v.literal("xfer.destination.v1"),
  dest_root: v.string(),
  /** Whether anything was below the destination root before this run's first agent; null when it could not be listed. */
  empty: v.nullable(v.boolean()),
  /** rclone's version where the agents run: [1, 60]; null when it did not say. */
  rclone_version: v.nullable(v.tuple([v.number(), v.number()])),
  checked_at: v.string(),
});

/** What a run's first agent found before it copied anything. */
export type Destination = Pick<v.InferOutput<typeof destinationSchema>, "empty" | "rclone_version">;

/** How long the other agents wait for the first one's answer, and how often they look. */
const answerMs = 60_000;
const pollMs = 200;

const unknown: Destination = { empty: null, rclone_version: null };

/**
 * Whether the destination was empty before this run: asked once for a whole run, by the first agent that comes, since
 * each later one would find what the others have copied. The answer lies in the state directory, and is lost with it.
 */
export async function examineDestination(
  run: RunLayout,
  config: RunConfig,
  stop: AbortSignal,
): Promise<Destination> {
  const path = join(run.stateDir, "destination.json");
  const claim = join(run.stateDir, "destination.claim");
  const known = readDestination(path, config.dest_root);
  if (known) return known;
  if (!takeClaim(claim)) {
    const deadline = Date.now() + answerMs;
    while (Date.now() < deadline && !stop.aborted) {
      const answer = readDestination(path, config.dest_root);
      if (answer) return answer;
      if (claimerHasGone(claim)) break;
      await sleep(pollMs, stop);
    }
    return unknown;
  }
  try {
    const [empty, rclone_version] = await Promise.all([isEmpty(config, stop), rcloneVersion(config, stop)]);
    if (stop.aborted) return unknown;
    const content = {
      schema: "xfer.destination.v1",
      dest_root: config.dest_root,
      empty,
      rclone_version,
      checked_at: new Date().toISOString(),
    };
    writeFileDurable(path, `${JSON.stringify(content)}\n`);
    return { empty, rclone_version };
  } finally {
    removeIfAny(claim);
  }
}

function readDestination(path: string, destRoot: string): Destination | undefined {
  try {
    const found = v.parse(destinationSchema, JSON.parse(readFileSync(path, "utf8")));
    return found.dest_root === destRoot ? found : undefined;
  } catch {
    return undefined;
  }
}

const claimSchema = v.object({ host: v.string(), pid: v.number(), start: v.string() });

/** Whether this agent is the one to ask. A claim is left behind when its agent has gone, or is older than any answer. */
function takeClaim(claim: string): boolean {
  const own = { host: hostname(), ...(identifyProcess(process.pid) ?? { pid: process.pid, start: "" }) };
  try {
    writeFileSync(claim, JSON.stringify(own), { flag: "wx" });
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const age = Date.now() - (statSync(claim, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    return age > answerMs || claimerHasGone(claim);
  }
}

function claimerHasGone(claim: string): boolean {
  try {
    const { host, ...claimer } = v.parse(claimSchema, JSON.parse(readFileSync(claim, "utf8")));
    return host === hostname() && !isRunning(claimer);
  } catch {
    return false;
  }
}

/** Runs an rclone step until `enough` of its output; gives the output, and the exit code if it ended by itself. */
async function ask(
  config: RunConfig,
  argv: (configFlags: string[]) => string[],
  stop: AbortSignal,
  enough: (stdout: string) => boolean,
): Promise<{ stdout: string; stderr: string; code: number | undefined }> {
  const isPath = parseRoot(config.dest_root).form === "posix";
  const child = startChild(
    stepCommand(config, {
      argv: ({ configPath }) => argv(configPath === undefined ? [] : ["--config", configPath]),
      readOnly: isPath && statSync(config.dest_root, { throwIfNoEntry: false }) ? [config.dest_root] : [],
      writable: [],
      env: process.env,
    }),
    { env: childEnvironment(stepVariables(config.runtime, process.env)) },
  );
  const end = () => child.signalGroup("SIGKILL");
  stop.addEventListener("abort", end);
  const stderr = new Response(child.stderr).text();
  let stdout = "";
  try {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      stdout += decoder.decode(chunk, { stream: true });
      if (enough(stdout)) return { stdout, stderr: "", code: undefined };
    }
    return { stdout, stderr: await stderr, code: (await child.exited).code };
  } finally {
    stop.removeEventListener("abort", end);
    end();
  }
}

async function isEmpty(config: RunConfig, stop: AbortSignal): Promise<boolean | null> {
  if (
    parseRoot(config.dest_root).form === "posix" &&
    !statSync(config.dest_root, { throwIfNoEntry: false })
  ) {
    return true;
  }
  // Recursive with --fast-list: rclone prints page by page, and is stopped at the first object.
  const list = (flags: string[]) => [
    ...["rclone", "lsf", "--recursive", "--fast-list", "--files-only", config.dest_root, ...flags],
    ...["--retries", "1", "--low-level-retries", "3"],
  ];
  const { stdout, stderr, code } = await ask(config, list, stop, (text) => text.includes("\n"));
  if (stdout !== "") return false;
  if (code === 0 || code === 3 || /directory not found/.test(stderr)) return true;
  return null;
}

async function rcloneVersion(config: RunConfig, stop: AbortSignal): Promise<[number, number] | null> {
  const { stdout } = await ask(
    config,
    () => ["rclone", "version"],
    stop,
    (text) => text.includes("\n"),
  );
  const match = /^rclone v(\d+)\.(\d+)/.exec(stdout);
  return match ? [Number(match[1]), Number(match[2])] : null;
}
