import type { FarEnd } from "../../lib/cluster/far-end.ts";
import { farFolder } from "../../lib/cluster/far-folder.ts";
import { type Profile, profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { binaryPath, putFile } from "../../lib/cluster/put-file.ts";
import { farEndOf } from "../../lib/cluster/reach.ts";
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

/** Connects to a cluster and puts xfer there when it is not there yet. */
export async function openCluster(name: string, stop: AbortSignal): Promise<OpenCluster> {
  const profile = readProfile(profilesFolder(process.env), name);
  const end = await farEndOf(profile, asksHere());
  const runRoot = await farFolder(end, profile.run_root);
  const { path, sha256 } = await binaryPath(runRoot, version, process.execPath);
  const live = new LiveLine();
  await putFile(end, {
    ...{ local: process.execPath, remote: path, sha256, mode: "755", stop },
    onProgress: (bytes, of) =>
      live.update(`xfer to ${end.host}: ${formatBytes(bytes)} of ${formatBytes(of)}`),
  });
  live.clear();
  return { profile, end, runRoot, binary: path };
}
