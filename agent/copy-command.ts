import { copyArgv } from "../lib/rclone/argv.ts";
import { type CopyPlan, copyPlan } from "../lib/rclone/copy-plan.ts";
import { stepCommand } from "../lib/rclone/step.ts";
import { reachOf } from "../lib/run/config.ts";
import type { CopySetup } from "./copy-setup.ts";
import { type SilenceLimits, silenceLimitsOf } from "./decide/silence.ts";
import { candidFlags, throttleFlags } from "./decide/throttle-flags.ts";

/** Seconds between rclone's lines of statistics. An orphaned rclone dies at the first that nobody reads (SIGPIPE). */
const statsSeconds = 2;

/** One start of rclone over a list of keys. */
export interface CopyStart {
  pass: number;
  /** Whether the objects may be at the destination already, so that rclone compares them. */
  mayBeThere: boolean;
  /** rclone's version, where it is known: [1, 60]. */
  version: readonly [number, number] | undefined;
  /** The file that lists the keys, and how many there are. */
  keys: string;
  objects: number;
  /** The largest object of the shard. */
  largestBytes: number;
  /** rclone's --transfers, and the same when throttling has lowered it. */
  transfers: number;
  lowered: number | null;
  /** After how long rclone begins no new transfer; undefined for no limit. */
  limitMs: number | undefined;
}

/** How one rclone is started, and how long it may be silent. */
export interface CopyCommand {
  argv: string[];
  env: Readonly<Record<string, string | undefined>>;
  plan: CopyPlan;
  silence: SilenceLimits;
}

/** The command that copies a list of keys. Throws invalid input for paths that the runtime cannot mount. */
export function copyCommand(setup: CopySetup, start: CopyStart): CopyCommand {
  const { config, flags, kinds } = setup;
  const { pass, largestBytes } = start;
  const plan = planOf(setup, start);
  const env = { ...plan.variables, ...setup.env };
  const usesS3 = kinds.source === "s3" || kinds.dest === "s3";
  const argv = stepCommand(reachOf(config), {
    argv: ({ configPath, keys }) =>
      copyArgv({
        sourceRoot: config.source_root,
        destRoot: config.dest_root,
        filesFrom: keys,
        configPath,
        planFlags: plan.flags,
        transfers: start.transfers,
        userFlags: flags.argv,
        throttleFlags: [
          ...throttleFlags(flags, start, start.limitMs),
          ...candidFlags(flags.given, { pass, passes: flags.passes, largestBytes, usesS3 }),
        ],
        statsSeconds,
      }),
    readOnly: [config.source_root],
    writable: [config.dest_root],
    keys: start.keys,
    cpus: config.cpus_per_task,
    env,
  });
  const facts = { records: start.objects, largestBytes, ...kinds };
  return { argv, env, plan, silence: silenceLimitsOf(facts, [...plan.flags, ...flags.argv], setup.env) };
}

function planOf({ config, flags, kinds }: CopySetup, start: CopyStart): CopyPlan {
  const said = flags.given.get("metadata");
  return copyPlan({
    ...kinds,
    largestBytes: start.largestBytes,
    version: start.version,
    multiThreadCutoffBytes: flags.multiThreadCutoffBytes,
    comparesDestination: flags.comparesDestination,
    mayBeThere: start.mayBeThere,
    metadata: config.metadata,
    metadataSaid: said === undefined ? undefined : said === "true",
  });
}
