import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import type { BuildOptions } from "../lib/build/from-listing.ts";
import type { ListingTotals } from "../lib/listing/entry.ts";
import { type Lister, listingCpus } from "../lib/listing/lister.ts";
import { makeRunId } from "../lib/manifest/run-id.ts";
import { requireConfPassword } from "../lib/rclone/conf-password.ts";
import type { RuntimeName } from "../lib/rclone/runtime.ts";
import { notShownText, sortListingFlags } from "../lib/rclone/user-flags.ts";
import { errnoOf, invalidInput } from "../lib/system/errors.ts";
import { log } from "../lib/system/log.ts";
import { formatBytes, formatObjects } from "../lib/system/units.ts";
import { requireFolder } from "../lib/system/writable.ts";
import { imageOf, listerSchema, listSchema, rcloneSchema } from "./flags.ts";
import { printJson, printText } from "./print.ts";

const listerObject = v.object({ ...rcloneSchema, ...listerSchema });
const listingObject = v.object({ ...rcloneSchema, ...listSchema });

/** A run id of now. */
export function newRunId(): string {
  return makeRunId(new Date(), crypto.getRandomValues(new Uint8Array(3)));
}

/** Prints what a new manifest holds, and how much the list beside it names. */
export async function printBuilt(
  { out, json }: { out: string; json: boolean },
  runId: string,
  { objects, bytes, untransferable }: ListingTotals & { untransferable: ListingTotals },
): Promise<void> {
  if (json) {
    await printJson({
      ...{ schema: "xfer.build.v1", manifest: out, run_id: runId, objects, bytes },
      untransferable: { objects: untransferable.objects, bytes: untransferable.bytes },
    });
  } else await printText(`${out}: ${formatObjects(objects)}, ${formatBytes(bytes)}\n`);
}

/** How rclone is reached for listings, from the flags of rcloneArgs and listerArgs. */
export function listerOf(
  input: v.InferOutput<typeof listerObject> & { "run-id"?: string | undefined },
  given: { runtime: RuntimeName; stop: AbortSignal },
): Lister {
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
    if (runsHere) throw invalidInput(`${text} ("rclone config" makes one)`);
    log.warn(`${text} here; it must be there on the compute nodes`);
    return;
  }
  checkNoFolder("--rclone-config", path);
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    const text = `--rclone-config: ${path} cannot be read (${errnoOf(error)})`;
    if (runsHere) throw invalidInput(text);
    log.warn(`${text} here; it must be readable on the compute nodes`);
  }
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    log.warn(`${path} holds credentials and others can read it (mode ${mode.toString(8)}): chmod 600 it`);
  }
}

/** Throws invalid input when a listing could not read its rclone.conf, for want of a password. */
export function requireListingPassword(
  input: { "rclone-config"?: string | undefined; "extra-lsjson-flags": readonly string[] },
  runtime: RuntimeName,
): void {
  requireConfPassword({ configPath: input["rclone-config"], runtime, flags: input["extra-lsjson-flags"] });
}

/** Throws invalid input when a folder is where a file is wanted. */
export function checkNoFolder(flag: string, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw invalidInput(`${flag}: ${path}: is a folder: a file is wanted`);
}

/** Throws invalid input when a file that may be there already is a folder, or its own folder is none or is shut. */
export function checkResultFile(flag: string, path: string): void {
  checkNoFolder(flag, path);
  requireFolder(flag, dirname(path));
}

/**
 * Throws invalid input when a file cannot be written: it is there already, is the one of another flag, lies below another
 * file, or its folder is shut.
 */
export function checkNewFile(flag: string, path: string, other?: string): void {
  if (existsSync(path)) {
    throw invalidInput(`${flag}: ${path} is there already: a manifest is immutable, choose another name`);
  }
  if (other !== undefined && resolve(path) === resolve(other)) {
    throw invalidInput(`${flag}: ${path} is written by another flag too: choose another name`);
  }
  requireFolder(flag, dirname(path));
}
