import { thisHost } from "../../lib/cluster/far-end.ts";
import { farFolder } from "../../lib/cluster/far-folder.ts";
import { forward } from "../../lib/cluster/forward.ts";
import { localHost, profilesFolder, readProfile } from "../../lib/cluster/profile.ts";
import { binaryPath, putFile } from "../../lib/cluster/put-file.ts";
import { connect } from "../../lib/cluster/ssh.ts";
import { exitCodes } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { formatBytes } from "../../lib/system/units.ts";
import { version } from "../../package.json" with { type: "json" };
import { LiveLine } from "../view/live-line.ts";
import { farWords } from "./cluster-of.ts";

/** Runs a command at a cluster and returns its exit code; its outputs are this command's. */
export async function handOver(cluster: string, name: string, rawArgs: readonly string[]): Promise<number> {
  const profile = readProfile(profilesFolder(process.env), cluster);
  const asks = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const end = profile.host === localHost ? thisHost() : await connect(profile.host, asks);
  const stop = watchForStop(stopSignals);
  const runRoot = await farFolder(end, profile.run_root);
  const { path, sha256 } = await binaryPath(runRoot, version, process.execPath);
  const live = new LiveLine();
  await putFile(end, {
    ...{ local: process.execPath, remote: path, sha256, mode: "755", stop: stop.signal },
    onProgress: (bytes, of) =>
      live.update(`xfer to ${end.host}: ${formatBytes(bytes)} of ${formatBytes(of)}`),
  });
  live.clear();
  const detach = new AbortController();
  stop.signal.addEventListener("abort", () => {
    // A second request does not wait for the end at the cluster.
    for (const signal of stopSignals) process.once(signal, () => detach.abort(signal));
  });
  const code = await forward(end, { binary: path, runRoot }, farWords(name, rawArgs), {
    onStdout: (bytes) => process.stdout.write(bytes),
    onStderr: (bytes) => process.stderr.write(bytes),
    stop: stop.signal,
    detach: detach.signal,
  });
  return code > 255 ? exitCodes.failed : code;
}
