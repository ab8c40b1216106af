import * as v from "valibot";
import type { BuildOptions } from "../../lib/build/from-listing.ts";
import type { ListingTotals } from "../../lib/listing/entry.ts";
import { type ListingSetup, listingCpus } from "../../lib/listing/request.ts";
import { makeRunId } from "../../lib/manifest/run-id.ts";
import type { RuntimeName } from "../../lib/rclone/runtime.ts";
import { notShownText, sortListingFlags } from "../../lib/rclone/user-flags.ts";
import { log } from "../../lib/system/log.ts";
import { imageOf, listerSchema, listSchema, rcloneSchema } from "./values.ts";

const listerObject = v.object({ ...rcloneSchema, ...listerSchema });

const listingObject = v.object({ ...rcloneSchema, ...listSchema });

/** A run id of now. */
export function newRunId(): string {
  return makeRunId(new Date(), crypto.getRandomValues(new Uint8Array(3)));
}

/** How rclone is reached for listings, from the flags of rcloneArgs and listerArgs. */
export function listerOf(
  input: v.InferOutput<typeof listerObject> & { "run-id"?: string | undefined },
  given: { runtime: RuntimeName; stop: AbortSignal },
): ListingSetup {
  const runtime = input.runtime ?? given.runtime;
  return {
    runId: input["run-id"] ?? newRunId(),
    runtime,
    image: imageOf(input, runtime),
    configPath: input["rclone-config"],
    confInContainer: input["container-conf-path"],
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
export function lsjsonFlagsOf(
  input: Pick<v.InferOutput<typeof listerObject>, "extra-lsjson-flags">,
): string[] {
  const { argv, notShown } = sortListingFlags(input["extra-lsjson-flags"]);
  const text = notShownText("--extra-lsjson-flags", notShown);
  if (text) log.warn(text);
  return argv;
}

/** The part of BuildOptions that comes from the flags of rcloneArgs and listArgs. */
export function buildOptionsOf(
  input: v.InferOutput<typeof listingObject>,
  given: { runtime: RuntimeName; stop: AbortSignal; onProgress: (totals: ListingTotals) => void },
): Omit<BuildOptions, "sourceRoot" | "destRoot" | "out"> {
  return {
    ...listerOf(input, given),
    recursive: input.recursive,
    fastList: input["fast-list"],
    modtime: input.modtime,
    hash: input.hash,
    extraLsjsonFlags: lsjsonFlagsOf(input),
    listParallel: input["list-parallel"],
    onProgress: given.onProgress,
  };
}
