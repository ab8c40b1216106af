import * as v from "valibot";
import type { Delta } from "../../lib/compare/delta.ts";
import { compareModes } from "../../lib/compare/delta-rule.ts";
import type { Analysis } from "../../lib/estimate/analysis.ts";
import type { Estimate } from "../../lib/estimate/estimate.ts";
import { failureClasses } from "../../lib/rclone/failure-class.ts";
import type { Account } from "../../lib/run/account.ts";
import type { FailureCause } from "../../lib/run/causes.ts";
import { count } from "../../lib/system/schemas.ts";
import { verificationSchema } from "../../lib/verify/verification.ts";
import type { analysisJson } from "../view/analysis.ts";
import type { builtJson } from "../view/built.ts";
import type { estimateJson } from "../view/estimate.ts";
import type { readyJson, submittedJson } from "../view/launched.ts";
import type { rebasedJson } from "../view/rebased.ts";
import type { installedJson, listedJson } from "../view/skills.ts";
import { of, output } from "./output.ts";

/** What commands print with --json and no program of xfer's reads. The types hold each to what is printed. */

const text = v.string();
const number = v.number();
export const amount = v.object({ objects: count, bytes: count });
const maybe = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);

export const accountEntries = {
  shards: v.object({ total: count, done: count, failed: count, unfinished: count }),
  ...{ listed: amount, copied: amount, unchanged: amount, failed: amount, unfinished: amount },
  untransferable: amount,
  errors: v.array(
    v.object({ shard: count, path: text, size: v.optional(count), class: text, message: text }),
  ),
  warnings: v.array(text),
};

export const cause = of<FailureCause>()(
  v.object({
    ...{ class: v.picklist(failureClasses), message: text, num_shards: count, first_shard: count },
    ...{ objects: count, bytes: count, at_least: v.boolean(), first_path: maybe(text) },
  }),
);

export const accountOutput = of<Account & { verified: boolean; not_verified: string | null }>()(
  output("xfer.account.v1", {
    ...accountEntries,
    causes: v.array(cause),
    ...{
      run_dir: text,
      verified: v.boolean(),
      not_verified: maybe(text),
      verification: maybe(verificationSchema),
    },
  }),
);

const bin = v.object({
  ...{ range_min: number, range_max: number, range_label: text, file_count: count, pct_files: number },
  ...{ bytes: count, bytes_human: text, pct_bytes: number, from: number, to: number, objects: count },
});

export const analysisOutput = of<Analysis & ReturnType<typeof analysisJson>>()(
  output("xfer.analysis.v1", {
    ...{ status: v.literal("ok"), total_files: count, total_bytes: count, total_bytes_human: text },
    file_size_stats: v.record(text, v.union([number, text])),
    profile: v.picklist(["small_files", "large_files", "mixed"]),
    ...{ profile_explanation: text, suggested_flags: text, suggested_shard_count: count },
    ...{ shard_count_reasoning: text, shard_count_assumptions: v.record(text, maybe(number)) },
    ...{ histogram: v.array(bin), objects: count, bytes: count, num_shards: count },
  }),
);

const rateTime = v.object({
  ...{ bytes_per_second: number, rate_human: text, bytes_seconds: number, bytes_seconds_human: text },
  ...{ expected_seconds: number, expected_seconds_human: text, expected_end: text },
});

export const estimateOutput = of<Estimate & ReturnType<typeof estimateJson>>()(
  output("xfer.estimate.v1", {
    ...{ total_files: count, total_bytes: count, total_bytes_human: text, rates: v.array(rateTime) },
    ...{ array_seconds: number, shards: count, assumptions: v.record(text, maybe(number)) },
    requests: v.object({
      ...{ list: number, get: number, put: number, part_put: number, part_post: number },
      ...{ total: number, per_object: number },
    }),
    histogram: v.array(v.object({ from: number, to: number, objects: count, bytes: count })),
    ...{ objects: count, bytes: count, num_shards: count },
  }),
);

export const deltaOutput = of<Delta>()(
  output("xfer.delta.v1", {
    ...{ manifest: text, out: text, dest_root: text, compare: v.picklist(compareModes) },
    ...{ new: count, changed: count, same: count, extra: count, not_comparable: count },
    ...{ bytes: count, same_bytes: count, objects: v.optional(count) },
  }),
);

export const buildOutput = of<ReturnType<typeof builtJson>>()(
  output("xfer.build.v1", {
    manifest: text,
    run_id: text,
    objects: count,
    bytes: count,
    untransferable: amount,
  }),
);

export const rebaseOutput = of<ReturnType<typeof rebasedJson>>()(
  output("xfer.rebase.v1", { manifest: text, objects: count }),
);

/** The jobs of a verification that was submitted with the copy. */
export const proofJobs = { verify_job_id: v.optional(maybe(text)), collect_job_id: v.optional(maybe(text)) };

export const runOutput = of<Omit<ReturnType<typeof readyJson>, keyof typeof proofJobs>>()(
  output("xfer.run.v1", { run_dir: text, job_id: maybe(text), ...proofJobs }),
);

export const submitOutput = of<Omit<ReturnType<typeof submittedJson>, keyof typeof proofJobs>>()(
  output("xfer.submit.v1", { job_id: text, run_dir: text, ...proofJobs }),
);

export const skillsOutput = of<ReturnType<typeof listedJson>>()(
  output("xfer.skills.v1", { skills: v.array(v.object({ name: text, description: text })) }),
);

export const skillsInstallOutput = of<ReturnType<typeof installedJson>>()(
  output("xfer.skills-install.v1", {
    folder: text,
    skills: v.array(
      v.object({
        ...{ name: text, path: text },
        outcome: v.picklist(["written", "same", "updated", "kept", "replaced"]),
      }),
    ),
  }),
);

const schemaNames = v.object({ reads: v.array(text), writes: v.array(text) });

export const versionOutput = output("xfer.version.v1", {
  ...{ version: text, commit: maybe(text), target: maybe(text), bun: text, platform: text, arch: text },
  schemas: maybe(schemaNames),
});

export const schemaListOutput = output("xfer.schema.v1", {
  schemas: v.array(v.object({ name: text, about: text })),
});

/** What `xfer manifest shard --json` prints beside the content of shards.meta.json. */
export const shardsAlso = { objects: v.optional(count), bytes: v.optional(count) };

/** What commands print beside the content of a file, to say where it is. */
export const whereAlso = { run_dir: v.optional(text) };

/** What binds the parts of a listing to it: its root, and how it is listed. */
export const partsListing = output("xfer.parts.v1", {
  ...{
    source_root: text,
    rclone_config: maybe(text),
    modtime: text,
    hash: v.boolean(),
    flags: v.array(text),
  },
});
