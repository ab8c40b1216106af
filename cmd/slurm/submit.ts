import { defineCommand } from "citty";
import * as v from "valibot";
import { submitRun } from "../../lib/launch/submit.ts";
import * as flags from "../flags/values.ts";
import { submittedJson, submittedText } from "../view/launched.ts";
import { printJson, printText } from "../view/print.ts";

const schema = v.object({
  "run-dir": flags.requiredText,
  "image-check": v.boolean(),
  json: v.optional(v.boolean(), false),
});

export default defineCommand({
  meta: {
    name: "xfer slurm submit",
    description: "Submits a rendered run as a job array and prints the job id",
  },
  args: {
    "run-dir": { type: "string", required: true, valueHint: "DIR", description: "the run directory" },
    "image-check": flags.imageCheckArg,
    json: flags.json,
  },
  async run({ args }) {
    const input = flags.readFlags(schema, args);
    const jobId = await submitRun(input["run-dir"], {
      now: new Date(),
      imageCheck: input["image-check"],
    });
    if (input.json) await printJson(submittedJson(input["run-dir"], jobId));
    else await printText(submittedText(jobId));
  },
});
