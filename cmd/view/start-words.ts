import { requireBucket } from "../../lib/listing/bucket.ts";
import type { ListingSetup } from "../../lib/listing/request.ts";
import { placeFlags } from "../../lib/rclone/place-flags.ts";
import { type MetadataMode, preservedText } from "../../lib/rclone/preserved.ts";
import { parseRoot, type RemoteContext, remoteType } from "../../lib/rclone/remote-options.ts";
import { type RootKind, rootKind } from "../../lib/rclone/root.ts";
import { sortUserFlags } from "../../lib/rclone/user-flags.ts";
import { log } from "../../lib/system/log.ts";
import { findProgram } from "../../lib/system/process.ts";

/** What a run is asked to carry beside content. */
interface Asked {
  metadata: MetadataMode;
  rcloneFlags: readonly string[];
}

/** What a run preserves of the objects and what it does not; the user's own rclone flags win over --metadata. */
export function preservedWords(
  ends: { source: string; dest: string },
  context: RemoteContext,
  asked: Asked,
): string {
  const said = sortUserFlags(asked.rcloneFlags, context.env).given.get("metadata");
  const mode = said === undefined ? asked.metadata : said === "true" ? "on" : "off";
  return preservedText({
    source: knownKind(ends.source, context),
    dest: knownKind(ends.dest, context),
    mode,
  });
}

/** Says once, at the start of a run, what it preserves of the objects and what it does not. */
export function sayPreserved(...run: Parameters<typeof preservedWords>): void {
  log.info(preservedWords(...run));
}

/** The kind of a root; undefined where its remote is not known on this host. */
function knownKind(root: string, context: RemoteContext): RootKind | undefined {
  const parsed = parseRoot(root);
  if (parsed.form === "remote" && remoteType(parsed, context) === undefined) return undefined;
  return rootKind(root, context.remotes, context.env);
}

/**
 * Looks for the destination's bucket with the rclone of this host, and with the user's flags that say how the place is
 * reached. Throws when there is no rclone, which the look would only warn of.
 */
export async function lookForBucketFirst(
  lister: ListingSetup,
  root: string,
  context: RemoteContext,
  asked: { createBucket: boolean; rcloneFlags: readonly string[] },
): Promise<void> {
  findProgram("rclone");
  const extraFlags = placeFlags(asked.rcloneFlags);
  return requireBucket(lister, { root, create: asked.createBucket, context, extraFlags });
}
