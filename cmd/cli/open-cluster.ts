import { ensureFarBinary } from "../../lib/cluster/far-binary.ts";
import type { FarEnd } from "../../lib/cluster/far-end.ts";
import { farFolders } from "../../lib/cluster/far-folder.ts";
import { localBinaries } from "../../lib/cluster/local-binaries.ts";
import { type Profile, profilesFolder, readProfile, withHome } from "../../lib/cluster/profile.ts";
import { farEndOf } from "../../lib/cluster/reach.ts";
import { isCompiled } from "../../lib/system/process.ts";
import { formatBytes } from "../../lib/system/units.ts";
import { version } from "../../package.json" with { type: "json" };
import { LiveLine } from "../view/live-line.ts";
import { UsageError } from "./usage-error.ts";

/** A cluster that can be worked with: connected, with its run root made and this xfer in it. */
export interface OpenCluster {
  profile: Profile;
  end: FarEnd;
  /** Absolute, at the cluster. */
  runRoot: string;
  home: string;
  binary: string;
}

/** The cluster that a command works with: the one that its flag names, or XFER_CLUSTER. Throws when neither does. */
export function requireCluster(given: string | undefined): string {
  const name = given ?? process.env.XFER_CLUSTER ?? "";
  if (name === "") throw new UsageError("--cluster is missing, and XFER_CLUSTER is not set");
  return name;
}

/** Whether there is a terminal on which ssh may ask for a password. */
export const asksHere = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/**
 * Connects to a cluster and puts xfer there when it is not there yet; `given` is the file that --cluster-binary names, for a
 * cluster of another architecture.
 */
export async function openCluster(
  name: string,
  stop: AbortSignal,
  given: string | undefined,
): Promise<OpenCluster> {
  const profile = readProfile(profilesFolder(process.env), name);
  const end = await farEndOf(profile, asksHere());
  const { runRoot, home } = await farFolders(end, profile.run_root);
  const live = new LiveLine();
  const binary = await ensureFarBinary(end, {
    ...{ runRoot, version, stop },
    choiceFor: (uname) =>
      localBinaries(uname, {
        ...{ env: process.env, version, given },
        own: isCompiled() ? process.execPath : undefined,
      }),
    onProgress: (bytes, of) =>
      live.update(`xfer to ${end.host}: ${formatBytes(bytes)} of ${formatBytes(of)}`),
  });
  live.clear();
  return { profile: withHome(profile, home), end, runRoot, home, binary };
}
