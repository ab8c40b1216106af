import { prepareRun } from "../../lib/launch/prepare.ts";
import { exitCodes } from "../../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { command } from "../cli/command.ts";
import { here } from "../flags/here.ts";
import { buildOptionsOf } from "../flags/listing.ts";
import { listingText } from "../view/built.ts";
import { doingText } from "../view/doing.ts";
import { nothingToCopyText } from "../view/launched.ts";
import { LiveLine } from "../view/live-line.ts";
import { planText } from "../view/plan.ts";
import { printText } from "../view/print.ts";
import { checkEnds, checkRun, startListing } from "./checks.ts";
import { runFlags } from "./flags.ts";
import { runLocal } from "./local.ts";
import { optionsOf, plannedRun } from "./options.ts";
import { runOnSlurm } from "./slurm.ts";

export default command({
  name: "xfer run",
  description: "Builds, shards and renders a transfer, and runs it here or submits it",
  details: [
    "The same command again goes on where an earlier one ended; a finished run copies nothing. The run directory never " +
      "lists its source again: for a new listing use a new run directory.",
    "--num-shards auto takes what xfer manifest analyze suggests. With --executor local the agents run at once, and the " +
      "run ends with a comparison of the destination's own listing; --submit and the flags for sbatch are for slurm.",
    "Exit code 0 means that every listed object is proven, and verified where the run ends with that.",
  ],
  examples: [
    {
      says: "Copy a folder on this machine",
      line: "xfer run --executor local --source set --dest copy --run-dir run",
    },
    {
      says: "Submit 512 shards to a cluster, 64 at a time",
      line: "xfer run --source src:bucket/set --dest dst:bucket/set --num-shards 512 --rclone-image /shared/rclone.sqsh --rclone-config /home/me/rclone.conf --array-concurrency 64 --submit",
    },
    {
      says: "From a workstation, on a cluster that has a name (xfer cluster add), to the end",
      line: "xfer run --cluster weka --source src:bucket/set --dest dst:bucket/set --submit --watch",
    },
  ],
  flags: runFlags,
  async run(input) {
    const options = optionsOf(input, here());
    const ends = checkEnds(options, input);
    const { source, dest } = ends;
    const live = new LiveLine();
    const { signal: stop } = watchForStop(stopSignals);
    const build = {
      ...buildOptionsOf(input, {
        runtime: options.runtime,
        stop,
        onProgress: (totals) => live.update(listingText(totals)),
      }),
      sourceRoot: source,
      listRoot: ends.list,
      destRoot: dest,
    };
    await checkRun(options, ends);
    if (options.dryRun) {
      await printText(planText(plannedRun(options, ends)));
      return exitCodes.done;
    }
    if (ends.listsHere && source && dest) await startListing(options, build, { source, dest });
    const config = await prepareRun({
      build,
      numShards: options.numShards,
      numShardsDefault: options.numShardsDefault,
      minShardSeconds: options.minShardSeconds,
      strategy: options.strategy,
      delta: options.delta
        ? {
            compare: options.compare,
            bucket: options.render.createBucket ? "may-be-missing" : "must-be-there",
            onProgress: (doing, objects) => live.update(doingText(doing, objects)),
          }
        : undefined,
      render: options.render,
    });
    live.clear();
    if (!config && !options.json) await printText(nothingToCopyText(options.compare));
    return options.executor === "local"
      ? runLocal(options, config, { live, stop })
      : runOnSlurm(options, config !== undefined, { live, stop });
  },
});
