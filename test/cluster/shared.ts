import { type Cluster, startCluster } from "./cluster.ts";

let shared: Promise<Cluster> | undefined;

/** The one cluster that all test files of this process share, started at the first call. */
export function sharedCluster(): Promise<Cluster> {
  shared ??= startCluster();
  return shared;
}

/** Stops the shared cluster if any test started it: for a global afterAll. */
export async function stopSharedCluster(): Promise<void> {
  const running = shared;
  shared = undefined;
  // A start that failed has cleaned up and told its caller.
  const cluster = await running?.catch(() => undefined);
  await cluster?.stop();
}
