import { submitRun } from "../../lib/launch/submit.ts";
import { submitPipeline } from "../../lib/launch/submit-proof.ts";
import { type ExitCode, exitCodes } from "../../lib/system/errors.ts";
import { command } from "../cli/command.ts";
import { clusterFlag } from "../flags/cluster.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { allowUntransferableFlag } from "../flags/plan.ts";
import { imageCheckFlag } from "../flags/rclone.ts";
import { forceFlag } from "../flags/render.ts";
import { runDirFlag } from "../flags/run-dir.ts";
import { submittedJson, submittedText } from "../view/launched.ts";
import { printJson, printText } from "../view/print.ts";
import { sayProof } from "./say-proof.ts";

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
      says: "Submit it with its verification: when the queue is empty, verify.json is there",
      line: "xfer slurm submit --run-dir run --verify",
    },
    {
      says: "The image is only on the compute nodes",
      line: "xfer slurm submit --run-dir run --no-image-check",
    },
  ],
  flags: {
    "run-dir": runDirFlag,
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
  async run({
    "run-dir": runDir,
    verify,
    "image-check": imageCheck,
    force,
    json,
    ...more
  }): Promise<ExitCode> {
    const how = { now: new Date(), imageCheck, force, allowsUntransferable: more["allow-untransferable"] };
    const proof = verify ? await submitPipeline(runDir, { ...how, checksum: "auto" }) : undefined;
    const jobId = proof?.jobId ?? (await submitRun(runDir, how));
    if (json) await printJson(submittedJson(runDir, jobId, proof));
    else await printText(submittedText(jobId));
    return proof === undefined || sayProof(proof) ? exitCodes.done : exitCodes.failed;
  },
});
