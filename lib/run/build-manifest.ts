import type { ListingEntry } from "../manifest/listing.ts";
import { forEachPartEntry } from "../manifest/parts.ts";
import { forEachEntry } from "../manifest/read-listing.ts";
import {
  type ListingTotals,
  type Markers,
  type PendingManifest,
  progressIntervalMs,
  removeProgress,
  writeManifest,
  writeProgress,
} from "../manifest/write-listing.ts";
import type { ModtimeMode } from "../rclone/argv.ts";
import { filterVariables } from "../rclone/flags.ts";
import { rootKind } from "../rclone/remote.ts";
import { operationFailed } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { listParts } from "./list-parallel.ts";
import { type Lister, type ListingRequest, runListing } from "./lister.ts";
import { partsDirOf } from "./part-store.ts";
import { readRemotes } from "./remotes.ts";

/** When hashes are listed: "auto" takes them where they are free, from the ETags of S3. */
export const hashModes = ["auto", "on", "off"] as const;

/** What a manifest is built from. */
export interface BuildOptions extends Lister {
  sourceRoot: string;
  destRoot: string;
  out: string;
  recursive: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: (typeof hashModes)[number];
  extraLsjsonFlags: readonly string[];
  /** How many listings run side by side. */
  listParallel: number;
  /** Takes only some of the listed objects. */
  choice?: ListingChoice;
  onProgress: (totals: ListingTotals) => void;
}

/** A choice among the listed objects. */
interface ListingChoice {
  takes(path: string): boolean;
  /** Called when all is listed; throws when the choice does not stand, and there is then no manifest. */
  check(): Promise<void>;
}

/** What was listed, and what was left out. */
export interface BuildResult extends ListingTotals {
  /** Symbolic links, devices and the like: rclone copies none of them. */
  leftOut: number;
  firstLeftOut: string | undefined;
  markers: Markers;
}

/**
 * Lists the source once through rclone into a manifest, which appears only if the whole listing ended well.
 * Throws operation failed otherwise, naming the error log that it wrote under xfer-err.
 */
export function buildManifest(options: BuildOptions): Promise<BuildResult> {
  const filters = filterVariables(process.env);
  if (filters.length > 0) {
    log.warn(
      `${filters.join(", ")} in the environment: what rclone leaves out for it is not in the manifest`,
    );
  }
  return options.listParallel > 1 ? buildInParts(options) : buildSerially(options);
}

async function buildSerially(options: BuildOptions): Promise<BuildResult> {
  const { choice } = options;
  const made: PendingManifest[] = [];
  const { leftOut, firstLeftOut } = await runListing(options, {
    request: sourceRequest(options),
    empty: choice ? "allowed" : "error",
    consume: async (stream) => {
      const pending = await writeManifest({
        source: (each) => forEachEntry(stream, chosen(choice, each)),
        manifestPath: options.out,
        origin: options,
        onProgress: options.onProgress,
      });
      made.push(pending);
      return { objects: pending.totals.objects, commit: () => {}, abort: () => pending.abort() };
    },
  });
  const [pending] = made;
  if (!pending) throw new Error("a listing ended well without a manifest");
  await commitChosen(choice, pending);
  return { ...pending.totals, leftOut, firstLeftOut, markers: pending.markers };
}

function chosen(
  choice: ListingChoice | undefined,
  each: (entry: ListingEntry) => void,
): (entry: ListingEntry) => void {
  if (!choice) return each;
  return (entry) => {
    if (!entry.IsDir && choice.takes(entry.Path)) each(entry);
  };
}

async function commitChosen(choice: ListingChoice | undefined, pending: PendingManifest): Promise<void> {
  try {
    await choice?.check();
  } catch (error) {
    pending.abort();
    throw error;
  }
  pending.commit();
}

async function buildInParts(options: BuildOptions): Promise<BuildResult> {
  const { out, sourceRoot } = options;
  let reportedAt = 0;
  const listed = await listParts(options, {
    request: sourceRequest(options),
    listers: options.listParallel,
    partsDir: partsDirOf(out),
    absentAllowed: false,
    onProgress: (totals) => {
      if (Date.now() - reportedAt < progressIntervalMs) return;
      reportedAt = Date.now();
      writeProgress(out, totals);
      options.onProgress(totals);
    },
  }).catch((error: unknown) => {
    removeProgress(out);
    throw error;
  });
  const pending = await writeManifest({
    source: (each) => {
      const take = chosen(options.choice, each);
      return forEachPartEntry(listed.parts, (entry) => {
        throwIfStopped(options.stop, "no manifest was written; run the same command again");
        take(entry);
      });
    },
    manifestPath: out,
    origin: options,
  });
  try {
    if (pending.totals.objects === 0 && !options.choice) {
      pending.abort();
      throw operationFailed(`no object was found under ${sourceRoot}: check the bucket and prefix`);
    }
    await commitChosen(options.choice, pending);
  } finally {
    listed.remove();
  }
  const { leftOut, firstLeftOut } = listed;
  return { ...pending.totals, leftOut, firstLeftOut, markers: pending.markers };
}

function sourceRequest(options: BuildOptions): ListingRequest {
  const { sourceRoot, hash } = options;
  const kind = rootKind(sourceRoot, readRemotes(options.configPath), process.env);
  return {
    root: sourceRoot,
    kind,
    recursive: options.recursive,
    filesOnly: true,
    fastList: options.fastList,
    modtime: options.modtime,
    hash: hash === "on" || (hash === "auto" && kind === "s3"),
    extraFlags: options.extraLsjsonFlags,
  };
}
