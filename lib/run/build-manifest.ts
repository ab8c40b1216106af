import type { Unlistable } from "../listing/lister-messages.ts";
import { findDuplicateKeys } from "../manifest/distinct-keys.ts";
import type { ListingEntry } from "../manifest/listing.ts";
import { forEachPartEntry } from "../manifest/parts.ts";
import { forEachEntry } from "../manifest/read-listing.ts";
import { joinRoot } from "../manifest/root.ts";
import { type Untransferable, untransferablePath } from "../manifest/untransferable.ts";
import {
  type Addressability,
  type ListingTotals,
  type Markers,
  type PendingManifest,
  progressIntervalMs,
  removeProgress,
  writeManifest,
  writeProgress,
} from "../manifest/write-listing.ts";
import { untransferableReason } from "../rclone/addressable.ts";
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
  /** What is in the list beside the manifest. */
  untransferable: Untransferable;
}

/** What rclone said beside a listing that bears on its manifest. */
interface ListingGaps {
  invalidNames: number;
  unlistable: readonly Unlistable[];
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
  const { leftOut, firstLeftOut, invalidNames, unlistable, dropped } = await runListing(options, {
    request: sourceRequest(options),
    empty: choice ? "allowed" : "error",
    unlistable: "told",
    consume: async (stream) => {
      let closed = true;
      const pending = await writeManifest({
        source: async (each) => {
          closed = await forEachEntry(stream, chosen(choice, each), { mayStayOpen: true });
        },
        manifestPath: options.out,
        origin: options,
        addressability: addressabilityOf(options),
        onProgress: options.onProgress,
      });
      made.push(pending);
      const objects = pending.totals.objects + pending.untransferable.objects;
      return { objects, closed, commit: () => {}, abort: () => pending.abort() };
    },
  });
  const [pending] = made;
  if (!pending) throw new Error("a listing ended well without a manifest");
  await commitWhole(options, pending, { invalidNames, unlistable: [...unlistable, ...dropped] });
  const { totals, markers, untransferable } = pending;
  return { ...totals, leftOut, firstLeftOut, markers, untransferable };
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

/**
 * Gives a manifest its name, after what only the whole listing tells has gone to the list of what cannot be carried:
 * folders that rclone could not list, and entries that it lists under one path, which it could not tell apart.
 */
async function commitWhole(
  { choice, sourceRoot, out }: BuildOptions,
  pending: PendingManifest,
  gaps: ListingGaps,
): Promise<void> {
  try {
    await choice?.check();
    if (!choice) {
      for (const { path, reason } of gaps.unlistable)
        pending.addUntransferable(path, `cannot be listed: ${reason}`);
    }
    await excludeAmbiguous(pending, gaps);
    if (pending.totals.objects === 0) {
      const { objects, examples } = pending.untransferable;
      if (objects > 0) {
        pending.commitList();
        throw operationFailed(
          `no object under ${sourceRoot} can be transferred: ${joinRoot(sourceRoot, examples[0]?.key ?? "")}: ` +
            `${examples[0]?.reason ?? ""} (all are named in ${untransferablePath(out)})`,
        );
      }
      throw operationFailed(`no object was found under ${sourceRoot}: check the bucket and prefix`);
    }
  } catch (error) {
    pending.abort();
    throw error;
  }
  pending.commit();
}

/** rclone's stand-in for a byte that is no UTF-8. */
const replacement = "\ufffd";

async function excludeAmbiguous(pending: PendingManifest, { invalidNames }: ListingGaps): Promise<void> {
  const twice = await findDuplicateKeys(pending.written());
  if (twice.size === 0 && invalidNames === 0) return;
  await pending.exclude((key) => {
    if (invalidNames > 0 && key.includes(replacement))
      return "its name is no UTF-8, or looks like one that is not";
    return twice.has(key.toWellFormed()) ? "rclone lists more than one object under this path" : undefined;
  });
}

async function buildInParts(options: BuildOptions): Promise<BuildResult> {
  const { out } = options;
  let reportedAt = 0;
  const listed = await listParts(options, {
    request: sourceRequest(options),
    listers: options.listParallel,
    partsDir: partsDirOf(out),
    absentAllowed: false,
    unlistable: "told",
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
    addressability: addressabilityOf(options),
  });
  try {
    await commitWhole(options, pending, listed);
  } finally {
    listed.remove();
  }
  const { leftOut, firstLeftOut } = listed;
  const { totals, markers, untransferable } = pending;
  return { ...totals, leftOut, firstLeftOut, markers, untransferable };
}

/** What can be carried between the two roots; which rclone will copy is not known at the listing. */
export function addressabilityOf({
  sourceRoot,
  destRoot,
  configPath,
}: Pick<BuildOptions, "sourceRoot" | "destRoot" | "configPath">): Addressability {
  const remotes = readRemotes(configPath);
  const facts = {
    source: rootKind(sourceRoot, remotes, process.env),
    dest: rootKind(destRoot, remotes, process.env),
    version: undefined,
  };
  return (key) => untransferableReason(key, facts);
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
