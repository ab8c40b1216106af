import { submitRun } from "../../lib/launch/submit.ts";
import { command } from "../cli/command.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { jsonFlag } from "../flags/output.ts";
import { imageCheckFlag } from "../flags/rclone.ts";
import { forceFlag } from "../flags/render.ts";
import { runDirFlag } from "../flags/run-dir.ts";
import { submittedJson, submittedText } from "../view/launched.ts";
import { printJson, printText } from "../view/print.ts";

export default command({
  name: "xfer slurm submit",
  description: "Submits a rendered run as a job array and prints the job id",
  details: [
    "Where the cluster's MaxArraySize is below the number of shards, each task copies several. A finished run may be " +
      "submitted again: it copies nothing.",
    "Before it submits, it looks at the binary, the image, rclone.conf, the disk and the partition, and refuses what cannot " +
      "work; xfer doctor looks at more.",
  ],
  examples: [
    { says: "Submit a rendered run", line: "xfer slurm submit --run-dir run" },
    {
      says: "The image is only on the compute nodes",
      line: "xfer slurm submit --run-dir run --no-image-check",
    },
  ],
  flags: {
    "run-dir": runDirFlag,
    "image-check": imageCheckFlag,
    force: forceFlag,
    cluster: clusterFlag,
    json: jsonFlag,
  },
  async run({ "run-dir": runDir, "image-check": imageCheck, force, json }) {
    const jobId = await submitRun(runDir, { now: new Date(), imageCheck, force });
    if (json) await printJson(submittedJson(runDir, jobId));
    else await printText(submittedText(jobId));
  },
});
