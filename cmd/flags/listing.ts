import { type BuildOptions, hashModes } from "../../lib/build/from-listing.ts";
import type { ListingTotals } from "../../lib/listing/entry.ts";
import { type ListingSetup, listingCpus } from "../../lib/listing/request.ts";
import { makeRunId } from "../../lib/manifest/run-id.ts";
import { modtimeModes } from "../../lib/rclone/argv.ts";
import type { RemoteContext } from "../../lib/rclone/remote-options.ts";
import { checkRoot } from "../../lib/rclone/root-check.ts";
import type { RuntimeName } from "../../lib/rclone/runtime.ts";
import { notShownText, sortListingFlags } from "../../lib/rclone/user-flags.ts";
import { log } from "../../lib/system/log.ts";
import type { OptionsOf } from "./flag.ts";
import { globalFlags } from "./global.ts";
import { flag } from "./make.ts";
import { runIdFlag } from "./manifest.ts";
import { imageCheckFlag, imageOf, type rcloneFlags } from "./rclone.ts";

/** Listings that may run side by side. */
const listParallelMax = 256;

export const listParallelFlag = flag.whole(1, listParallelMax, {
  default: 1,
  group: "listing",
  description: "list up to N prefixes side by side where it pays",
});

/** How a listing is run, of the source or of the destination. */
export const listerFlags = {
  "image-check": imageCheckFlag,
  "fast-list": flag.onOff({
    default: true,
    group: "listing",
    description: "one LIST per 1,000 objects, whatever the prefixes",
    negativeDescription: "list prefix by prefix: less memory",
  }),
  "list-parallel": listParallelFlag,
  "extra-lsjson-flags": flag.words({
    valueHint: "FLAGS",
    group: "listing",
    description: "more flags for rclone lsjson",
  }),
  verbose: globalFlags.verbose,
  "very-verbose": flag.on({ group: "output", description: "the same as -vv" }),
};

/** How the source is listed. */
export const listFlags = {
  ...listerFlags,
  recursive: flag.onOff({
    default: true,
    group: "listing",
    description: "list below prefixes too",
    negativeDescription: "list only the top",
  }),
  modtime: flag.oneOf(modtimeModes, {
    default: "server",
    group: "listing",
    description: "which time is listed (metadata: a HEAD for each object); --no-modtime is none",
  }),
  hash: flag.oneOf(hashModes, {
    default: "auto",
    group: "listing",
    description: "list MD5s; auto: on S3, where only objects uploaded in parts cost a HEAD",
  }),
  "run-id": runIdFlag,
};

/** For commands that list a source and make a manifest of all of it. */
export const listRootFlag = flag.text({
  valueHint: "ROOT",
  group: "listing",
  description: "list this root in place of the source: a mount of its bucket, where a listing is cheap",
});

/** The root of --list-root, and one line that says that it is listed. */
export function listRootOf(
  given: string | undefined,
  source: string | undefined,
  context: RemoteContext | undefined,
): string | undefined {
  if (given === undefined) return undefined;
  const root = checkRoot("--list-root", given, context);
  if (source !== undefined) log.info(`listing ${root} in place of ${source}`);
  return root;
}

/** A run id of now. */
export function newRunId(): string {
  return makeRunId(new Date(), crypto.getRandomValues(new Uint8Array(3)));
}

type ListerInput = OptionsOf<typeof rcloneFlags> & OptionsOf<typeof listerFlags>;

/** How rclone is reached for listings. */
export function listingSetupOf(
  input: ListerInput & { "run-id"?: string | undefined },
  given: { runtime: RuntimeName; stop: AbortSignal },
): ListingSetup {
  const runtime = input.runtime ?? given.runtime;
  return {
    runId: input["run-id"] ?? newRunId(),
    runtime,
    image: imageOf(input, runtime),
    configPath: input["rclone-config"],
    confInContainer: input["rclone-conf-in-container"],
    pyxisExtra: input["pyxis-extra"],
    cpus: listingCpus,
    verbosity: input["very-verbose"] ? 2 : input.verbose ? 1 : 0,
    errorDir: ".",
    stop: given.stop,
  };
}

/**
 * The flags of --extra-lsjson-flags for rclone; says which are not handed on. Throws invalid input for one that a listing
 * cannot stand.
 */
export function lsjsonFlagsOf(input: Pick<ListerInput, "extra-lsjson-flags">): string[] {
  const { argv, notShown } = sortListingFlags(input["extra-lsjson-flags"]);
  const text = notShownText("--extra-lsjson-flags", notShown);
  if (text) log.warn(text);
  return argv;
}

/** The part of BuildOptions that comes from the flags of rcloneFlags and listFlags. */
export function buildOptionsOf(
  input: OptionsOf<typeof rcloneFlags> & OptionsOf<typeof listFlags>,
  given: { runtime: RuntimeName; stop: AbortSignal; onProgress: (totals: ListingTotals) => void },
): Omit<BuildOptions, "sourceRoot" | "listRoot" | "destRoot" | "out"> {
  return {
    ...listingSetupOf(input, given),
    recursive: input.recursive,
    fastList: input["fast-list"],
    modtime: input.modtime,
    hash: input.hash,
    extraLsjsonFlags: lsjsonFlagsOf(input),
    listParallel: input["list-parallel"],
    onProgress: given.onProgress,
  };
}
