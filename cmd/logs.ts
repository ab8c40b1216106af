import { tellObject } from "../lib/operate/logs/object-story.ts";
import { readLogs } from "../lib/operate/logs/read-logs.ts";
import { exitCodes, invalidInput } from "../lib/system/errors.ts";
import { stopExitCode, stopReason, stopSignals, watchForStop } from "../lib/system/interrupt.ts";
import { isColored } from "./cli/colors.ts";
import { command } from "./cli/command.ts";
import { clusterFlag } from "./flags/cluster.ts";
import { flag } from "./flags/make.ts";
import { jsonFlag } from "./flags/output.ts";
import { shardsMax } from "./flags/plan.ts";
import { runDirFlag } from "./flags/run-dir.ts";
import { logJson, logLine, objectJson, objectText } from "./view/logs.ts";
import { hasReaderGone, print, printJson, printText } from "./view/print.ts";

export default command({
  name: "xfer logs",
  description: "Shows what rclone and the agents said, by time, or all that is known of one object",
  details: [
    "Lines of all files in logs/ are merged by time. rclone's statistics and what it says at DEBUG are left out, but for " +
      "requests that it repeats.",
    "--object tells of one object, by its key as the manifest has it: its record and shard, the proof in the journal, what " +
      ".fail and the verification say of it, and each line about it in the log of each attempt, whatever its level.",
    "--follow ends when the run, or the shard, has ended.",
  ],
  examples: [
    { says: "All errors of a run, by time", line: "xfer logs --run-dir run --errors" },
    { says: "What becomes of one shard", line: "xfer logs --run-dir run --shard 12 --follow" },
    { says: "Why an object is not there", line: "xfer logs --run-dir run --object set/a.dat" },
  ],
  flags: {
    "run-dir": runDirFlag,
    shard: flag.whole(0, shardsMax - 1, {
      group: "what",
      common: true,
      defaultText: "all",
      description: "only what is about this shard",
    }),
    attempt: flag.whole(1, 999_999, {
      group: "what",
      common: true,
      defaultText: "all",
      description: "only what is about the attempts of this number",
    }),
    errors: flag.on({ group: "what", common: true, description: "only errors" }),
    object: flag.text({
      group: "what",
      common: true,
      valueHint: "KEY",
      description: "all that is known of the object of this key",
    }),
    follow: flag.on({
      group: "output",
      common: true,
      description: "go on as lines come, until the run has ended",
    }),
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run({ "run-dir": runDir, shard, attempt, errors, object, follow, json }, { color }) {
    const { signal: stop } = watchForStop(stopSignals);
    const look = { isColored: isColored(color, process.stdout, process.env) };
    if (object !== undefined) {
      if (follow)
        throw invalidInput("--follow: an object's story is told once: leave out --follow or --object");
      if (errors)
        throw invalidInput("--errors: an object's story has all of it: leave out --errors or --object");
      const story = await tellObject(runDir, object, { shard, attempt }, stop);
      if (json) await printJson(objectJson(story));
      else await printText(objectText(story, look));
      return exitCodes.done;
    }
    const filter = { shard, attempt, errorsOnly: errors };
    for await (const batch of readLogs({ runDir, filter, follows: follow, stop })) {
      const lines = batch.map((entry) =>
        json ? `${JSON.stringify(logJson(entry))}\n` : logLine(entry, look),
      );
      await print(lines.join(""));
      // A reader such as head has gone: nobody reads the rest of what may be gigabytes.
      if (hasReaderGone()) break;
    }
    const reason = stopReason(stop);
    return reason === undefined ? exitCodes.done : stopExitCode(reason);
  },
});
