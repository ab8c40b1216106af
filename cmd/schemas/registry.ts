import * as v from "valibot";
import { holderSchema } from "../../agent/claim.ts";
import { farRequestSchema } from "../../lib/cluster/forward.ts";
import { profileSchema } from "../../lib/cluster/profile.ts";
import { pullRequestSchema } from "../../lib/cluster/pull.ts";
import { sessionSchema } from "../../lib/cluster/session.ts";
import { stageRequestSchema } from "../../lib/cluster/stage.ts";
import { noteSchema } from "../../lib/listing/part-store.ts";
import { recordSchema } from "../../lib/manifest/record.ts";
import { leaseSchema } from "../../lib/operate/lease.ts";
import { reportSchema } from "../../lib/operate/report/schema.ts";
import { configSchema } from "../../lib/run/config.ts";
import { eventSchema } from "../../lib/run/events.ts";
import { attemptSchema } from "../../lib/run/state/attempt.ts";
import { controlSchema } from "../../lib/run/state/control.ts";
import { destinationSchema, earlierSchema } from "../../lib/run/state/destination.ts";
import { doneSchema } from "../../lib/run/state/done.ts";
import { failSchema } from "../../lib/run/state/fail.ts";
import { lockSchema } from "../../lib/run/state/lock.ts";
import { failureSchema as lookFailureSchema } from "../../lib/run/state/look-failure.ts";
import { progressSchema } from "../../lib/run/state/progress.ts";
import { submissionSchema } from "../../lib/run/submissions.ts";
import { shardsMetaSchema } from "../../lib/shard/meta.ts";
import { shardVerificationSchema } from "../../lib/verify/shard-verification.ts";
import { verificationSchema } from "../../lib/verify/verification.ts";
import * as cluster from "./cluster-outputs.ts";
import * as operate from "./operate-outputs.ts";
import * as outputs from "./outputs.ts";

/** A schema by which files or outputs are written, and where it is met. */
export interface KnownSchema {
  about: string;
  schema: v.GenericSchema;
}

const runConfig = v.strictObject({ ...configSchema.entries, ...outputs.whereAlso });
const shards = v.looseObject({ ...shardsMetaSchema.pipe[0].entries, ...outputs.shardsAlso });
const verification = v.object({ ...verificationSchema.entries, ...outputs.whereAlso });

/**
 * All schemas of JSON, by name. One that the program writes or reads and that is not here fails a test, as does one that
 * real output does not keep: test/cmd/schema.test.ts, test/e2e/schema.test.ts.
 */
export const schemas: Readonly<Record<string, KnownSchema>> = {
  "xfer.account.v1": { about: "xfer run --executor local, and --watch", schema: outputs.accountOutput },
  "xfer.analysis.v1": { about: "xfer manifest analyze, and its --out", schema: outputs.analysisOutput },
  "xfer.attempt.v1": { about: "state/shard_N.attempt", schema: attemptSchema },
  "xfer.build.v1": { about: "xfer manifest build, combine, import", schema: outputs.buildOutput },
  "xfer.cancel.v1": { about: "xfer cancel", schema: operate.cancelOutput },
  "xfer.claim.v1": { about: "state/destination.claim", schema: holderSchema },
  "xfer.cluster-clean.v1": { about: "xfer cluster clean", schema: cluster.clusterCleanOutput },
  "xfer.cluster-removed.v1": { about: "xfer cluster remove", schema: cluster.clusterRemovedOutput },
  "xfer.cluster.v1": { about: "a profile; xfer cluster add, edit, show", schema: profileSchema },
  "xfer.clusters.v1": { about: "xfer cluster list", schema: cluster.clustersOutput },
  "xfer.control.v1": { about: "state/control", schema: controlSchema },
  "xfer.delta.v1": { about: "delta.json; xfer manifest delta", schema: outputs.deltaOutput },
  "xfer.destination.v1": { about: "state/destination.json of earlier builds", schema: earlierSchema },
  "xfer.destination.v2": { about: "state/destination.json", schema: destinationSchema },
  "xfer.doctor.v1": { about: "xfer doctor", schema: operate.doctorOutput },
  "xfer.done.v1": { about: "state/shard_N.done", schema: doneSchema },
  "xfer.estimate.v1": { about: "xfer manifest estimate", schema: outputs.estimateOutput },
  "xfer.event.v1": { about: "a line of events.jsonl", schema: eventSchema },
  "xfer.explain.v1": { about: "--explain of any command", schema: cluster.explainOutput },
  "xfer.fail.v1": { about: "state/shard_N.fail", schema: failSchema },
  "xfer.far.v1": { about: "what xfer tells itself at a cluster: a command", schema: farRequestSchema },
  "xfer.lease.v1": { about: "state/throttle.lease", schema: leaseSchema },
  "xfer.lock.v1": { about: "state/shard_N.lock", schema: lockSchema },
  "xfer.log.v1": { about: "a line of xfer logs --json", schema: operate.logOutput },
  "xfer.look-failure.v1": { about: "state/destination.failed", schema: lookFailureSchema },
  "xfer.manifest.v1": { about: "a line of a manifest, a shard, a delta", schema: recordSchema },
  "xfer.object.v1": { about: "xfer logs --object", schema: operate.objectOutput },
  "xfer.part.v1": { about: "the note of a part in manifest.jsonl.parts/", schema: noteSchema },
  "xfer.parts.v1": { about: "manifest.jsonl.parts/listing.json", schema: outputs.partsListing },
  "xfer.pause.v1": { about: "xfer pause", schema: operate.pauseOutput },
  "xfer.probe.v1": { about: "xfer cluster probe", schema: cluster.probeOutput },
  "xfer.progress.v1": { about: "state/shard_N.progress", schema: progressSchema },
  "xfer.pull.v1": { about: "what xfer tells itself at a cluster: files to send", schema: pullRequestSchema },
  "xfer.pulled.v1": { about: "xfer pull", schema: cluster.pulledOutput },
  "xfer.rclone-config-deployed.v1": {
    about: "xfer rclone-config deploy",
    schema: cluster.confDeployedOutput,
  },
  "xfer.rclone-config.v1": { about: "xfer rclone-config check", schema: cluster.confCheckOutput },
  "xfer.rebase.v1": { about: "xfer manifest rebase", schema: outputs.rebaseOutput },
  "xfer.report.v1": { about: "xfer report --format json", schema: reportSchema },
  "xfer.resume.v1": { about: "xfer resume", schema: operate.resumeOutput },
  "xfer.retry.v1": { about: "xfer retry", schema: operate.retryOutput },
  "xfer.run.v1": { about: "xfer run", schema: outputs.runOutput },
  "xfer.runconfig.v1": { about: "config.resolved.json; xfer slurm render", schema: runConfig },
  "xfer.schema.v1": { about: "xfer schema --json", schema: outputs.schemaListOutput },
  "xfer.session.v1": { about: "session.json of a command at a cluster", schema: sessionSchema },
  "xfer.shard-verify.v1": { about: "state/shard_N.verify", schema: shardVerificationSchema },
  "xfer.shards.v1": { about: "shards/shards.meta.json; xfer manifest shard", schema: shards },
  "xfer.skills-install.v1": { about: "xfer skills install", schema: outputs.skillsInstallOutput },
  "xfer.skills.v1": { about: "xfer skills list", schema: outputs.skillsOutput },
  "xfer.stage.v1": {
    about: "what xfer tells itself at a cluster: files there are",
    schema: stageRequestSchema,
  },
  "xfer.staged.v1": { about: "xfer stage", schema: cluster.stagedOutput },
  "xfer.status.v1": { about: "xfer status, xfer wait", schema: operate.statusOutput },
  "xfer.submission.v1": { about: "a line of submissions.jsonl", schema: submissionSchema },
  "xfer.submit.v1": {
    about: "xfer slurm submit, xfer verify --executor slurm",
    schema: outputs.submitOutput,
  },
  "xfer.throttle.v1": { about: "xfer throttle", schema: operate.throttleOutput },
  "xfer.verify.v1": { about: "verify.json; xfer verify", schema: verification },
  "xfer.version.v1": { about: "xfer version", schema: outputs.versionOutput },
};

/** Schemas of files that are text, not JSON; docs/reference/state-files.md has their form. */
export const textSchemas: readonly string[] = ["xfer.found.v1", "xfer.journal.v1"];
