import { type ListingTotals, writeListing } from "../manifest/write-listing.ts";
import type { ModtimeMode } from "../rclone/argv.ts";
import { rootKind } from "../rclone/remote.ts";
import { type Lister, type ListingRequest, runListing } from "./lister.ts";
import { readRemoteTypes } from "./remote-types.ts";

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
  onProgress: (totals: ListingTotals) => void;
}

/** What was listed, and what rclone said that it left out. */
export interface BuildResult extends ListingTotals {
  /** Symbolic links, devices and the like: rclone copies none of them. */
  leftOut: number;
  firstLeftOut: string | undefined;
}

/**
 * Lists the source once through rclone into a manifest, which appears only if the whole listing ended well.
 * Throws operation failed otherwise, naming the error log that it wrote under xfer-err.
 */
export async function buildManifest(options: BuildOptions): Promise<BuildResult> {
  const { sourceRoot, destRoot, runId } = options;
  let totals: ListingTotals = { objects: 0, bytes: 0 };
  const { leftOut, firstLeftOut } = await runListing(options, {
    request: sourceRequest(options),
    empty: "error",
    consume: async (stream) => {
      const pending = await writeListing({
        stream,
        manifestPath: options.out,
        origin: { runId, sourceRoot, destRoot },
        onProgress: options.onProgress,
      });
      totals = pending.totals;
      return { ...pending, objects: pending.totals.objects };
    },
  });
  return { ...totals, leftOut, firstLeftOut };
}

function sourceRequest(options: BuildOptions): ListingRequest {
  const { sourceRoot, hash } = options;
  const kind = rootKind(sourceRoot, readRemoteTypes(options.configPath), process.env);
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
