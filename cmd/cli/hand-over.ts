import { forward } from "../../lib/cluster/forward.ts";
import { exitCodes } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import type { Flags } from "../flags/flag.ts";
import { defaultRunDir } from "../flags/run-dir.ts";
import { printText } from "../view/print.ts";
import type { RunThere } from "./build-elsewhere.ts";
import { farWords, valueIn, wordsThere } from "./cluster-of.ts";
import { openCluster } from "./open-cluster.ts";
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
  const runThere: RunThere = (at, name, flags, words) =>
    forward(at.end, at, farWords(name, [...words, ...wordsThere({ name, flags }, words, at)]), {
      onStdout: (bytes) => written(process.stdout, bytes),
      onStderr: (bytes) => written(process.stderr, bytes),
      stop: stop.signal,
      detach: detach.signal,
    });
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

/** Resolves when the bytes are taken; a reader that has gone is no failure of the command at the cluster. */
const written = (stream: NodeJS.WriteStream, bytes: Uint8Array) =>
  new Promise<void>((resolve) => {
    stream.write(bytes, () => resolve());
  });
