import { readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { directoryRoot } from "../lib/rclone/argv.ts";
import { parseRoot } from "../lib/rclone/remote-options.ts";
import type { RunConfig } from "../lib/run/config.ts";
import type { RunLayout } from "../lib/run/layout.ts";
import { startStep } from "../lib/run/step.ts";
import { removeIfAny, replaceFile } from "../lib/system/durable.ts";
import { errnoOf } from "../lib/system/errors.ts";
import { sleep } from "../lib/system/interrupt.ts";
import { identifyProcess, isRunning } from "../lib/system/process-identity.ts";

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
    const found = await examine(config, stop);
    if (stop.aborted) return unknown;
    const content = {
      schema: "xfer.destination.v1",
      dest_root: config.dest_root,
      ...found,
      checked_at: new Date().toISOString(),
    };
    // A crash may lose it: the next agent asks again, and finds no less at the destination.
    replaceFile(path, `${JSON.stringify(content)}\n`);
    return found;
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

/** Lists the destination until the first object: rclone's version, and whether anything is there. */
async function examine(config: RunConfig, stop: AbortSignal): Promise<Destination> {
  const { dest_root } = config;
  const isPath = parseRoot(dest_root).form === "posix";
  const isThere = !isPath || statSync(dest_root, { throwIfNoEntry: false }) !== undefined;
  const child = startStep(config, {
    // Recursive with --fast-list: rclone prints page by page. At -vv the first line of its log tells the version, and
    // `rclone version` takes longer, since it asks the system for its own.
    argv: ({ configPath }) => [
      ...["rclone", "lsf", "-vv", "--recursive", "--fast-list", "--files-only", directoryRoot(dest_root)],
      ...(configPath === undefined ? [] : ["--config", configPath]),
      ...["--retries", "1", "--low-level-retries", "3"],
    ],
    readOnly: isPath && isThere ? [dest_root] : [],
    writable: [],
    env: process.env,
  });
  const end = () => child.signalGroup("SIGKILL");
  stop.addEventListener("abort", end);
  const said = { stdout: "", stderr: "" };
  try {
    const code = await new Promise<number | undefined>((resolve, reject) => {
      const read = async (output: "stdout" | "stderr") => {
        for await (const chunk of child[output]) {
          said[output] += Buffer.from(chunk).toString("latin1");
          if (said.stdout.includes("\n") && said.stderr.includes("\n")) resolve(undefined);
        }
      };
      Promise.all([child.exited, read("stdout"), read("stderr")]).then(
        ([exit]) => resolve(exit.code),
        reject,
      );
    });
    const version = /: rclone: Version "v(\d+)\.(\d+)/.exec(said.stderr);
    return {
      empty: isThere ? emptyBy(said, code) : true,
      rclone_version: version ? [Number(version[1]), Number(version[2])] : null,
    };
  } finally {
    stop.removeEventListener("abort", end);
    end();
  }
}

function emptyBy(said: { stdout: string; stderr: string }, code: number | undefined): boolean | null {
  if (said.stdout !== "") return false;
  return code === 0 || code === 3 || /directory not found/.test(said.stderr) ? true : null;
}
