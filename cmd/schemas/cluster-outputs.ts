import * as v from "valibot";
import { profileSchema } from "../../lib/cluster/profile.ts";
import { count } from "../../lib/system/schemas.ts";
import type { cleanedJson } from "../view/cluster.ts";
import type { confCheckJson, deployedJson } from "../view/rclone-config.ts";
import { of, output } from "./output.ts";

/** What commands that work with clusters print with --json. */

const text = v.string();
const maybeText = v.nullable(text);
const names = v.array(text);

export const clustersOutput = output("xfer.clusters.v1", { clusters: v.array(profileSchema) });

export const clusterRemovedOutput = output("xfer.cluster-removed.v1", { name: text });

const keptFor = v.picklist(["a command uses it", "a run uses it", "this version"]);

export const clusterCleanOutput = of<ReturnType<typeof cleanedJson>>()(
  output("xfer.cluster-clean.v1", {
    cluster: text,
    binaries: v.array(
      v.object({ name: text, bytes: count, keep: v.nullable(keptFor), removed: v.boolean() }),
    ),
  }),
);

const partition = v.object({
  ...{ name: text, default: v.boolean(), up: v.boolean(), time_limit: text, nodes: count },
  ...{ cpus: count, idle_cpus: count, gpus: v.boolean(), pending_jobs: count },
});

const node = v.object({
  ...{ rclone: maybeText, rclone_problem: maybeText },
  ...{ run_root_executes: v.boolean(), run_root_problem: maybeText },
});

/** A cluster that was not reached has its problem and no more. */
const probed = v.object({
  ...{ name: text, host: text, run_root: text, problem: maybeText },
  ...{ system: v.optional(text), glibc: v.optional(maybeText), slurm: v.optional(maybeText) },
  ...{ max_array_size: v.optional(v.nullable(count)), max_jobs: v.optional(v.nullable(count)) },
  ...{ pyxis: v.optional(v.boolean()), apptainer: v.optional(v.boolean()), rclone: v.optional(maybeText) },
  rclone_config: v.optional(v.object({ path: maybeText, state: text, mode: maybeText })),
  ...{ run_root_state: v.optional(text), best_partition: v.optional(maybeText) },
  ...{ partitions: v.optional(v.array(partition)), node: v.optional(v.nullable(node)) },
});

export const probeOutput = output("xfer.probe.v1", { clusters: v.array(probed) });

export const confCheckOutput = of<ReturnType<typeof confCheckJson>>()(
  output("xfer.rclone-config.v1", {
    ...{ cluster: text, path: text, mode: maybeText, problem: maybeText },
    state: v.picklist(["there", "missing", "unreadable", "encrypted"]),
    ...{ remotes: names, wanted: names, missing: names },
    reached: v.array(v.object({ root: text, reached: v.boolean(), problem: maybeText })),
  }),
);

export const confDeployedOutput = of<ReturnType<typeof deployedJson>>()(
  output("xfer.rclone-config-deployed.v1", { cluster: text, path: text, remotes: names, replaced: names }),
);

const travelled = {
  cluster: text,
  run_dir: text,
  far_dir: text,
  files: count,
  bytes: count,
  unchanged: count,
};

export const stagedOutput = output("xfer.staged.v1", travelled);

export const pulledOutput = output("xfer.pulled.v1", travelled);

export const explainOutput = output("xfer.explain.v1", {
  ...{ command: text, cluster: maybeText },
  flags: v.array(
    v.object({ flag: text, value: v.optional(text), from: v.picklist(["flag", "profile", "default"]) }),
  ),
});
