import { farRunDir } from "../../lib/cluster/far-run-dir.ts";
import { pull } from "../../lib/cluster/pull.ts";
import { stage } from "../../lib/cluster/stage.ts";
import { isListed } from "../../lib/run/travels.ts";
import { exitCodes } from "../../lib/system/errors.ts";
import { log } from "../../lib/system/log.ts";
import { quoteWords } from "../../lib/system/shell-words.ts";
import type { Flags } from "../flags/flag.ts";
import { LiveLine } from "../view/live-line.ts";
import { valueIn } from "./cluster-of.ts";
import { type OpenCluster, openCluster } from "./open-cluster.ts";

/** Runs words of a command at a cluster that is open, and returns the exit code. */
export type RunThere = (
  at: OpenCluster,
  name: string,
  flags: Flags,
  words: readonly string[],
) => Promise<number>;

/** Flags whose value is a path or a word of one cluster: another one has its own, from its profile. */
const ofOneCluster = new Set([
  "rclone-config",
  "rclone-image",
  "runtime",
  "pyxis-extra",
  "rclone-conf-in-container",
]);

/** Of the words of xfer run, those that a listing at another cluster takes. */
export function listingWords(build: Flags, rawArgs: readonly string[], out: string): string[] {
  const kept = rawArgs.filter((word) => {
    const name = /^--(?:no-)?([^=]+)/.exec(word)?.[1] ?? "";
    const isDeclared = Object.hasOwn(build, name) || Object.hasOwn(build, word.slice(2));
    return isDeclared && !ofOneCluster.has(name) && name !== "cluster" && name !== "json";
  });
  return [...kept, `--out=${out}`];
}

/**
 * Lists the source at one cluster, and brings the manifest to the run directory of another one and to the one here. The
 * records name the roots that the transfer uses, whatever was listed. Does nothing when the manifest is there already.
 * Returns the exit code of a listing that failed.
 */
export async function buildElsewhere(
  names: { build: string; runDir: string },
  there: OpenCluster,
  rawArgs: readonly string[],
  runThere: RunThere,
  stop: AbortSignal,
): Promise<number> {
  const { runDir } = names;
  const live = new LiveLine();
  const show = (what: string) => (done: number, of: number) => live.update(`${what}: ${done} of ${of}`);
  const { default: build } = await import("../manifest/build.ts");
  const at = await openCluster(names.build, stop, valueIn(rawArgs, "cluster-binary"));
  const from = { binary: at.binary, dir: farRunDir(at.runRoot, runDir) };
  const to = { binary: there.binary, dir: farRunDir(there.runRoot, runDir) };
  if (await hasManifest(there, to.dir, stop)) return exitCodes.done;
  if (!(await hasManifest(at, from.dir, stop))) {
    log.info(`listing at ${names.build}`);
    const words = listingWords(build.spec.flags, rawArgs, `${from.dir}/manifest.jsonl`);
    const code = await runThere(at, "xfer manifest build", build.spec.flags, words);
    if (code !== exitCodes.done) return code;
  }
  await pull(at.end, from, runDir, { stop, only: isListed, onProgress: show("manifest, files") });
  await stage(there.end, to, runDir, { stop, only: isListed, onProgress: show("manifest, bytes") });
  live.clear();
  log.info(
    `the manifest of ${names.build} is at ${there.profile.name}:${to.dir}; it is cut and copied there`,
  );
  return exitCodes.done;
}

async function hasManifest({ end }: OpenCluster, dir: string, stop: AbortSignal): Promise<boolean> {
  const { code } = await end.run(`test -f ${quoteWords([`${dir}/manifest.jsonl`])}`, { stop });
  return code === 0;
}
