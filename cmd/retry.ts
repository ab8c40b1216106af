import { retryShards } from "../lib/operate/retry.ts";
import { failureClasses } from "../lib/rclone/failure-class.ts";
import { exitCodes } from "../lib/system/errors.ts";
import { stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { log } from "../lib/system/log.ts";
import { parseNumberList } from "../lib/system/number-list.ts";
import { ownCommand } from "../lib/system/process.ts";
import { splitWords } from "../lib/system/shell-words.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import { flag, noLimit } from "./flags/make.ts";
import { jsonFlag } from "./flags/output.ts";
import { allowUntransferableFlag } from "./flags/plan.ts";
import { imageCheckFlag } from "./flags/rclone.ts";
import { forceFlag } from "./flags/render.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { sayProof } from "./slurm/say-proof.ts";
import { progressLine } from "./view/account.ts";
import { LiveLine } from "./view/live-line.ts";
import { printJson, printText } from "./view/print.ts";
import { leftAloneText, retryJson, retryText } from "./view/retry.ts";

/** Reads `auth,network`; undefined for a word that is no failure class. */
function parseClasses(given: string) {
  const words = given.split(",").map((word) => word.trim());
  const classes = words.flatMap((word) => failureClasses.find((name) => name === word) ?? []);
  return classes.length === words.length ? classes : undefined;
}

/** Reads words by a shell's quoting rules; undefined where a quote is not closed. */
function parseWords(given: string): string[] | undefined {
  try {
    return splitWords(given, "");
  } catch {
    return undefined;
  }
}

export default command({
  name: "xfer retry",
  description: "Tries shards again that have failed, or that nothing goes on with",
  details: [
    "Without --shards and --class these are all shards that are not done and that no task and no agent is at work on. They " +
      "get a new budget of attempts. What is proven stays proven: only the rest is copied.",
    "A run that was submitted gets an array of these shards alone. Where its numbers are too large for the cluster, each " +
      "task carries several, as those of the whole run do. A run without jobs, or without sbatch here, goes on on this machine.",
    "--max-attempts and --rclone-flags change the run's configuration, also for later submissions. They are refused while " +
      "tasks of the run are running or in the queue.",
  ],
  examples: [
    { says: "Once rclone.conf is mended", line: "xfer retry --run-dir run --class auth" },
    {
      says: "Some shards, with fewer transfers",
      line: 'xfer retry --run-dir run --shards 3,17,40-44 --rclone-flags "--transfers 8"',
    },
  ],
  flags: {
    "run-dir": runDirFlag,
    shards: flag.parsed(parseNumberList, "must be numbers and ranges, such as 3,17,40-44", {
      group: "what",
      common: true,
      valueHint: "LIST",
      defaultText: "all that can be",
      description: "the shards to try again",
    }),
    class: flag.parsed(parseClasses, `must be of ${failureClasses.join(", ")}, with commas`, {
      group: "what",
      common: true,
      valueHint: "CLASSES",
      defaultText: "all",
      description: "only shards that have failed by one of these classes",
    }),
    "max-attempts": flag.whole(1, noLimit, {
      group: "slurm",
      common: true,
      defaultText: "as the run has it",
      description: "attempts at a shard, requeues included",
    }),
    "rclone-flags": flag.parsed(parseWords, "a quote is not closed", {
      group: "rclone",
      common: true,
      valueHint: "FLAGS",
      defaultText: "as the run has them",
      description: "flags for rclone copy in place of the run's",
    }),
    verify: flag.on({
      group: "what",
      common: true,
      description: "submit the verification too, to start when the array has ended",
    }),
    "allow-untransferable": allowUntransferableFlag,
    "image-check": imageCheckFlag,
    force: forceFlag,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run({ json, ...options }) {
    const live = new LiveLine();
    const { signal: stop } = watchForStop(stopSignals);
    const result = await retryShards({
      runDir: options["run-dir"],
      filter: {
        shards: options.shards && new Set(options.shards),
        classes: options.class && new Set(options.class),
      },
      change: { maxAttempts: options["max-attempts"], rcloneFlags: options["rclone-flags"] },
      imageCheck: options["image-check"],
      force: options.force,
      verify: options.verify ? { allowsUntransferable: options["allow-untransferable"] } : undefined,
      now: new Date(),
      stop,
      command: ownCommand(),
      onProgress: (progress) => {
        const { parts, news } = progressLine(progress, Date.now());
        live.update(parts, { news });
      },
    });
    live.clear();
    const leftAlone = leftAloneText(result);
    if (leftAlone !== undefined) log.warn(leftAlone);
    if (json) await printJson(retryJson(result));
    else await printText(retryText(result));
    if (result.kind === "ran") return result.end.exitCode;
    const isProvable = result.kind === "nothing" || result.proof === undefined || sayProof(result.proof);
    return isProvable ? exitCodes.done : exitCodes.failed;
  },
});
