import type { RunConfig } from "../../run/config.ts";
import type { RunLayout } from "../../run/layout.ts";
import { destinationBinding, readDestination } from "../../run/state/destination.ts";
import type { ShardsMeta } from "../../shard/meta.ts";
import { runProgram } from "../../system/process.ts";
import type { Verification } from "../../verify/verification.ts";
import type { ReportVersions } from "./schema.ts";

/** The run of which versions are told. */
interface VersionsOf {
  run: RunLayout;
  config: RunConfig | undefined;
  meta: ShardsMeta | undefined;
  verification: Verification | undefined;
  /** Whether a job of it was submitted to Slurm. */
  isSubmitted: boolean;
  /** This xfer's. */
  version: string;
}

/**
 * The versions of the programs that worked on a run, by what they left in its files. Of rclone and Slurm also the version
 * of this host, where the run would use it: rclone without an image, Slurm after a submission. Null is not known.
 */
export async function readVersions(of: VersionsOf): Promise<ReportVersions> {
  const { run, config, meta, verification, isSubmitted, version } = of;
  const look = config && meta && readDestination(run.destination, destinationBinding(config.dest_root, meta));
  const usesHost = config?.runtime === "host";
  return {
    xfer: {
      rendered: config?.xfer_version ?? null,
      verified: verification?.xfer_version ?? null,
      report: version,
    },
    rclone: {
      copied: look?.version?.join(".") ?? null,
      verified: verification?.rclone_version ?? null,
      here: usesHost ? await asked(["rclone", "version"], /^rclone v(\S+)/) : null,
    },
    slurm: { here: isSubmitted ? await asked(["scontrol", "--version"], /^slurm\S* (\S+)/) : null },
  };
}

/** What a program on this host says that its version is; null when it is not here, or says nothing of the kind. */
async function asked(argv: readonly string[], pattern: RegExp): Promise<string | null> {
  try {
    const { code, stdout } = await runProgram(argv, { timeoutMs: 10_000 });
    return code === 0 ? (pattern.exec(stdout)?.[1] ?? null) : null;
  } catch {
    return null;
  }
}
