import type { ListingEntry, ListingTotals } from "../listing/entry.ts";
import { listParts } from "../listing/list-in-parts.ts";
import { runListing } from "../listing/lister.ts";
import type { Unlistable } from "../listing/lister-messages.ts";
import { LiveEntries } from "../listing/live-entries.ts";
import { partsDirOf } from "../listing/part-store.ts";
import { forEachPartEntry, type Part } from "../listing/parts.ts";
import { forEachEntry } from "../listing/read-entries.ts";
import type { ListingRequest, ListingSetup } from "../listing/request.ts";
import { findDuplicateKeys } from "../manifest/distinct-keys.ts";
import { type Untransferable, untransferablePath } from "../manifest/untransferable.ts";
import { versionOf } from "../rclone/addressable.ts";
import type { ModtimeMode } from "../rclone/argv.ts";
import { readRemotes } from "../rclone/conf.ts";
import { filterVariables } from "../rclone/flag-variables.ts";
import { joinRoot, rootKind } from "../rclone/root.ts";
import { operationFailed } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { Carriage } from "./carriage.ts";
import { progressIntervalMs, removeProgress, writeProgress } from "./progress-sidecar.ts";
import { type Markers, PendingManifest } from "./write.ts";

/** When hashes are listed. "auto" takes them where they cost nothing: from the ETags of S3. */
export const hashModes = ["auto", "on", "off"] as const;

/** The source of a manifest, and how it is listed. */
export interface BuildOptions extends ListingSetup {
  sourceRoot: string;
  /** Another root that holds the same objects, which is listed in place of the source: a mount of its bucket. */
  listRoot?: string | undefined;
  destRoot: string;
  out: string;
  recursive: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: (typeof hashModes)[number];
  extraLsjsonFlags: readonly string[];
  /** How many listings run side by side. */
  listParallel: number;
  /** Chooses some of the listed objects; without it all are taken. */
  choice?: ListingChoice;
  onProgress: (totals: ListingTotals) => void;
}

/** A choice among the listed objects. */
interface ListingChoice {
  takes(path: string): boolean;
  /** Called when all objects are listed. It throws when the choice does not stand, and there is no manifest then. */
  check(): Promise<void>;
}

/** How much is in the manifest, and how much was left out. */
export interface BuildResult extends ListingTotals {
  /** Symbolic links, devices and the like: rclone copies none of them. */
  leftOut: number;
  firstLeftOut: string | undefined;
  markers: Markers;
  /** The objects in the list beside the manifest. */
  untransferable: Untransferable;
}

/** What rclone has not listed, or does not carry, by its own words. */
interface ListingGaps {
  carriage: Carriage;
  /** rclone's version, where rclone told it. */
  version: string | undefined;
  unlistable: readonly Unlistable[];
}

/**
 * Lists the source once through rclone into a manifest, which appears only if the whole listing ended well. Otherwise throws
 * operation failed, naming the error log that was written under xfer-err.
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
  const carriage = new Carriage(options);
  const { made, leftOut, firstLeftOut, unlistable, dropped, version } = await runListing(options, {
    request: sourceRequest(options),
    empty: choice ? "allowed" : "error",
    unlistable: "told",
    consume: async (stream) => {
      const pending = beginManifest(options, carriage, options.onProgress);
      const take = chosen(choice, carriage, pending.take);
      const closed = await pending.filledBy(forEachEntry(stream, take, { mayStayOpen: true }));
      const objects = pending.totals.objects + pending.untransferable.objects;
      return { objects, closed, made: pending, abort: () => pending.abort() };
    },
  });
  if (!made) throw new Error("a listing ended well without a manifest");
  await commitWhole(options, made, { carriage, version, unlistable: [...unlistable, ...dropped] });
  const { totals, markers, untransferable } = made;
  return { ...totals, leftOut, firstLeftOut, markers, untransferable };
}

function chosen(
  choice: ListingChoice | undefined,
  carriage: Carriage,
  each: (entry: ListingEntry) => void,
): (entry: ListingEntry) => void {
  return (entry) => {
    if (entry.IsDir || carriage.repeats(entry.Path)) return;
    if (choice === undefined || choice.takes(entry.Path)) each(entry);
  };
}

/**
 * Gives a manifest its name. Before that, objects that cannot be carried go to the list beside it, as far as only the whole
 * listing tells them: folders that rclone could not list, entries that it lists under one path, and keys that its version does
 * not carry.
 */
async function commitWhole(
  options: BuildOptions,
  pending: PendingManifest,
  gaps: ListingGaps,
): Promise<void> {
  await pending.orAbort(checkWhole(options, pending, gaps));
  pending.commit();
}

async function checkWhole(
  { choice, sourceRoot, out, stop }: BuildOptions,
  pending: PendingManifest,
  gaps: ListingGaps,
): Promise<void> {
  await choice?.check();
  if (!choice) {
    for (const { path, reason } of [...gaps.unlistable, ...gaps.carriage.quotedFolders()])
      pending.addUntransferable(path, `cannot be listed: ${reason}`);
  }
  await excludeUncarried(pending, gaps, stop);
  if (pending.totals.objects > 0) return;
  const { objects, examples } = pending.untransferable;
  if (objects === 0)
    throw operationFailed(`no object was found under ${sourceRoot}: check the bucket and prefix`);
  pending.commitList();
  throw operationFailed(
    `no object under ${sourceRoot} can be transferred: ${joinRoot(sourceRoot, examples[0]?.key ?? "")}: ` +
      `${examples[0]?.reason ?? ""} (all are named in ${untransferablePath(out)})`,
  );
}

async function excludeUncarried(
  pending: PendingManifest,
  { carriage, version }: ListingGaps,
  stop: AbortSignal,
): Promise<void> {
  const twice = await findDuplicateKeys(pending.written(), stop);
  const byVersion = carriage.forVersion(versionOf(version) ?? undefined);
  if (twice.size === 0 && !byVersion) return;
  await pending.exclude((key) =>
    twice.has(key.toWellFormed()) ? "rclone lists more than one object under this path" : byVersion?.(key),
  );
}

async function buildInParts(options: BuildOptions): Promise<BuildResult> {
  const { out, choice } = options;
  let carriage = new Carriage(options);
  // A choice is asked once for each object, and an early manifest may be thrown away.
  const early = choice ? undefined : beginEarly(options, carriage);
  let reportedAt = 0;
  const listed = await listParts(options, {
    request: sourceRequest(options),
    listers: options.listParallel,
    partsDir: partsDirOf(out),
    absentAllowed: false,
    unlistable: "told",
    live: early?.live,
    onProgress: (totals) => {
      if (Date.now() - reportedAt < progressIntervalMs) return;
      reportedAt = Date.now();
      writeProgress(out, totals);
      options.onProgress(totals);
    },
  }).catch(async (error: unknown) => {
    early?.live.fail(error);
    await early?.made;
    removeProgress(out);
    throw error;
  });
  early?.live.finish();
  let pending = await early?.made;
  if (!pending) {
    carriage = new Carriage(options);
    pending = beginManifest(options, carriage);
    await pending.filledBy(eachOfParts(options, listed.parts, chosen(choice, carriage, pending.take)));
  }
  try {
    await commitWhole(options, pending, { carriage, ...listed });
  } finally {
    listed.remove();
  }
  const { leftOut, firstLeftOut } = listed;
  const { totals, markers, untransferable } = pending;
  return { ...totals, leftOut, firstLeftOut, markers, untransferable };
}

function beginManifest(
  options: BuildOptions,
  carriage: Carriage,
  onProgress?: BuildOptions["onProgress"],
): PendingManifest {
  return PendingManifest.begin({
    manifestPath: options.out,
    origin: options,
    addressability: carriage.perhaps,
    ...(onProgress && { onProgress }),
  });
}

/**
 * Begins a manifest while a parallel listing comes. When the listing is divided the manifest is thrown away, and `made`
 * resolves to undefined.
 */
function beginEarly(
  options: BuildOptions,
  carriage: Carriage,
): { live: LiveEntries; made: Promise<PendingManifest | undefined> } {
  const pending = beginManifest(options, carriage);
  const live = new LiveEntries(chosen(undefined, carriage, pending.take));
  const made = pending.filledBy(live.end).then(
    () => pending,
    () => undefined,
  );
  return { live, made };
}

function eachOfParts(
  { stop }: BuildOptions,
  parts: readonly Part[],
  take: (entry: ListingEntry) => void,
): Promise<void> {
  return forEachPartEntry(parts, (entry) => {
    throwIfStopped(stop, "no manifest was written; run the same command again");
    take(entry);
  });
}

function sourceRequest(options: BuildOptions): ListingRequest {
  const { listRoot, sourceRoot, hash } = options;
  const root = listRoot ?? sourceRoot;
  const kind = rootKind(root, readRemotes(options.configPath), process.env);
  return {
    root,
    side: "source",
    kind,
    recursive: options.recursive,
    filesOnly: true,
    fastList: options.fastList,
    modtime: options.modtime,
    hash: hash === "on" || (hash === "auto" && kind === "s3"),
    extraFlags: options.extraLsjsonFlags,
  };
}
