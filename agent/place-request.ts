import type { ListingRequest } from "../lib/listing/request.ts";
import type { Side } from "../lib/rclone/hindrance.ts";
import { placeFlags } from "../lib/rclone/place-flags.ts";
import type { RootKind } from "../lib/rclone/root.ts";
import type { RunConfig } from "../lib/run/config.ts";
import { hashesAreFree } from "../lib/verify/verification.ts";

/** The listing of all objects at one place of a run: with MD5 hashes where they cost no request, and without times. */
export function placeRequest(config: RunConfig, side: Side, kind: RootKind): ListingRequest {
  return {
    root: side === "source" ? config.source_root : config.dest_root,
    side,
    kind,
    recursive: true,
    filesOnly: true,
    // rclone prints page by page.
    fastList: true,
    modtime: "none",
    hash: hashesAreFree(config, kind),
    extraFlags: placeFlags(config.rclone_flags),
  };
}
