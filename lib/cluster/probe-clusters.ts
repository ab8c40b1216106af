import { messageOf, operationFailed, XferError } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { mapSideBySide } from "../system/side-by-side.ts";
import type { FarEnd } from "./far-end.ts";
import { type NodeFacts, nodeProbeScript, parseNodeProbe } from "./node-probe.ts";
import { type ClusterFacts, parseProbe, probeScript, rankClusters } from "./probe.ts";
import type { Profile } from "./profile.ts";
import { farEndOf } from "./reach.ts";

/** What became of the probe of one cluster. */
export type Probed = { profile: Profile } & (
  | { facts: ClusterFacts; node: NodeFacts | undefined }
  | { problem: string }
);

/** Clusters that are asked at a time. */
const sideBySide = 8;

/**
 * Asks clusters how they are, side by side, and returns the best one for a transfer first; those that could not be asked are
 * the last. `asks` says whether ssh may ask for passwords: then one cluster is connected to after the other.
 */
export async function probeClusters(
  profiles: readonly Profile[],
  { asks, throughSrun, stop }: { asks: boolean; throughSrun: boolean; stop: AbortSignal },
): Promise<Probed[]> {
  // Profiles of one host share its connection: opened twice at a time, one of the two would be left open.
  const hosts = [...new Set(profiles.map(({ host }) => host))];
  const opened = await mapSideBySide(hosts, asks ? 1 : sideBySide, (host) => {
    throwIfStopped(stop, again);
    return orProblem(farEndOf({ host }, asks), stop);
  });
  const ends = new Map(hosts.map((host, i) => [host, opened[i] ?? ""]));
  const probed = await mapSideBySide(profiles, sideBySide, async (profile): Promise<Probed> => {
    const end = ends.get(profile.host) ?? "";
    if (typeof end === "string") return { profile, problem: end };
    const facts = await orProblem(probeOne(end, profile, throughSrun, stop), stop);
    return typeof facts === "string" ? { profile, problem: facts } : { profile, ...facts };
  });
  const whole = probed.filter((one) => "facts" in one);
  return [...rankClusters(whole), ...probed.filter((one) => !("facts" in one))];
}

const again = "run the same command again";

/** The value, or the message of an expected failure that is no stop of this command. */
async function orProblem<T>(promise: Promise<T>, stop: AbortSignal): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    if (stop.aborted || !(error instanceof XferError)) throw error;
    return messageOf(error);
  }
}

async function probeOne(
  end: FarEnd,
  profile: Profile,
  throughSrun: boolean,
  stop: AbortSignal,
): Promise<{ facts: ClusterFacts; node: NodeFacts | undefined }> {
  const { stdout, stderr } = await end.run(probeScript(profile), { stop });
  if (!/^== system$/m.test(stdout)) {
    throw operationFailed(
      `${end.host}: the probe printed nothing: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    );
  }
  const facts = parseProbe(stdout);
  if (!throughSrun) return { facts, node: undefined };
  const node = await end.run(nodeProbeScript(profile), { stop });
  return { facts, node: parseNodeProbe(node.stdout) };
}
