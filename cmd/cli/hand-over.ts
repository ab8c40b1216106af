import { join } from "node:path";
import { lookAtConf, openProblem } from "../../lib/cluster/far-conf.ts";
import { forward } from "../../lib/cluster/forward.ts";
import { exitCodes, invalidInput } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import type { Flags } from "../flags/flag.ts";
import { defaultRunDir } from "../flags/run-dir.ts";
import { printText } from "../view/print.ts";
import type { RunThere } from "./build-elsewhere.ts";
import { farWords, valueIn, wordsThere } from "./cluster-of.ts";
import { type OpenCluster, openCluster } from "./open-cluster.ts";
import { UsageError } from "./usage-error.ts";

/** Runs a command at a cluster and returns its exit code; its outputs are this command's. */
export async function handOver(
  cluster: string,
  { name, flags }: { name: string; flags: Flags },
  rawArgs: readonly string[],
): Promise<number> {
  if (rawArgs.includes("--in=-")) {
    throw new UsageError("--in -: standard input does not go to a cluster: name a file that is there");
  }
  if (rawArgs.includes("--dry-run")) {
    const { planHandOver } = await import("./plan-hand-over.ts");
    await printText(await planHandOver(cluster, { name, flags }, rawArgs));
    return exitCodes.done;
  }
  const stop = watchForStop(stopSignals);
  const detach = new AbortController();
  stop.signal.addEventListener("abort", () => {
    // A second request does not wait for the end at the cluster.
    for (const signal of stopSignals) process.once(signal, () => detach.abort(signal));
  });
  const runThere: RunThere = async (at, name, flags, words) => {
    const all = [...words, ...wordsThere({ name, flags }, words, at)];
    await requirePrivateConf(at, valueIn(all, "rclone-config"), stop.signal);
    return await forward(at.end, at, farWords(name, all), {
      onStdout: (bytes) => written(process.stdout, bytes),
      onStderr: (bytes) => written(process.stderr, bytes),
      stop: stop.signal,
      detach: detach.signal,
    });
  };
  const there = await openCluster(cluster, stop.signal, valueIn(rawArgs, "cluster-binary"));
  const build = valueIn(rawArgs, "build-cluster");
  if (build !== undefined && build !== cluster) {
    const { buildElsewhere } = await import("./build-elsewhere.ts");
    const runDir = valueIn(rawArgs, "run-dir") ?? defaultRunDir;
    const code = await buildElsewhere({ build, runDir }, there, rawArgs, runThere, stop.signal);
    if (code !== exitCodes.done) return code;
  }
  return await runThere(there, name, flags, rawArgs);
}

/** Throws when an rclone.conf that a command is to use at a cluster can be read by others there. */
async function requirePrivateConf(
  { end, profile, runRoot }: OpenCluster,
  path: string | undefined,
  stop: AbortSignal,
): Promise<void> {
  if (path === undefined) return;
  const rclone_config = /^[/~]/.test(path) ? path : join(runRoot, path);
  const problem = openProblem(end, await lookAtConf(end, { ...profile, rclone_config }, stop));
  if (problem !== undefined) throw invalidInput(problem);
}

/** Resolves when the bytes are taken; a reader that has gone is no failure of the command at the cluster. */
const written = (stream: NodeJS.WriteStream, bytes: Uint8Array) =>
  new Promise<void>((resolve) => {
    stream.write(bytes, () => resolve());
  });
