import { existsSync, statSync } from "node:fs";
import * as v from "valibot";
import { makeRunId } from "../lib/manifest/run-id.ts";
import type { ListingTotals } from "../lib/manifest/write-listing.ts";
import type { RuntimeName } from "../lib/rclone/runtime.ts";
import type { BuildOptions } from "../lib/run/build-manifest.ts";
import { invalidInput } from "../lib/system/errors.ts";
import { log } from "../lib/system/log.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import { listSchema, rcloneSchema } from "./flags.ts";

const listingObject = v.object({ ...rcloneSchema, ...listSchema });

/** The part of BuildOptions that comes from the flags of rcloneArgs and listArgs. */
export function buildOptionsOf(
  input: v.InferOutput<typeof listingObject>,
  given: { runtime: RuntimeName; stop: AbortSignal; onProgress: (totals: ListingTotals) => void },
): Omit<BuildOptions, "sourceRoot" | "destRoot" | "out"> {
  const runtime = input.runtime ?? given.runtime;
  return {
    runId: input["run-id"] ?? makeRunId(new Date(), crypto.getRandomValues(new Uint8Array(3))),
    runtime,
    image: input["rclone-image"],
    configPath: input["rclone-config"],
    confInContainer: input["container-conf-path"],
    recursive: input.recursive,
    fastList: input["fast-list"],
    modtime: input.modtime,
    hash: input.hash,
    extraLsjsonFlags: input["extra-lsjson-flags"],
    pyxisExtra: input["pyxis-extra"],
    verbosity: input["very-verbose"] ? 2 : input.verbose ? 1 : 0,
    errorDir: ".",
    onProgress: given.onProgress,
    stop: given.stop,
  };
}

/** Progress of a listing in one line. */
export function listingText(totals: ListingTotals): string {
  return `listing: ${formatObjects(totals.objects)}, ${formatBytes(totals.bytes)}`;
}

/**
 * Looks at the rclone.conf that the user names. Missing is invalid input where rclone runs on this host, and a warning
 * where it runs on a node that may see other paths; others being able to read it is a warning.
 */
export function checkRcloneConfig(path: string | undefined, runsHere: boolean): void {
  if (path === undefined) return;
  if (!existsSync(path)) {
    const text = `--rclone-config: ${path}: no such file`;
    if (runsHere) throw invalidInput(text);
    log.warn(`${text} here; it must be there on the compute nodes`);
    return;
  }
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    log.warn(`${path} holds credentials and others can read it (mode ${mode.toString(8)}): chmod 600 it`);
  }
}
