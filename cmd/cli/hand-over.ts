import { forward } from "../../lib/cluster/forward.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import type { Flags } from "../flags/flag.ts";
import { farWords, wordsThere } from "./cluster-of.ts";
import { openCluster } from "./open-cluster.ts";

/** Runs a command at a cluster and returns its exit code; its outputs are this command's. */
export async function handOver(
  cluster: string,
  { name, flags }: { name: string; flags: Flags },
  rawArgs: readonly string[],
): Promise<number> {
  const stop = watchForStop(stopSignals);
  const { end, profile, runRoot, binary } = await openCluster(cluster, stop.signal);
  const detach = new AbortController();
  stop.signal.addEventListener("abort", () => {
    // A second request does not wait for the end at the cluster.
    for (const signal of stopSignals) process.once(signal, () => detach.abort(signal));
  });
  const added = wordsThere(flags, rawArgs, { binary, profile });
  return await forward(end, { binary, runRoot }, farWords(name, [...rawArgs, ...added]), {
    onStdout: (bytes) => written(process.stdout, bytes),
    onStderr: (bytes) => written(process.stderr, bytes),
    stop: stop.signal,
    detach: detach.signal,
  });
}

/** Resolves when the bytes are taken; a reader that has gone is no failure of the command at the cluster. */
const written = (stream: NodeJS.WriteStream, bytes: Uint8Array) =>
  new Promise<void>((resolve) => {
    stream.write(bytes, () => resolve());
  });
