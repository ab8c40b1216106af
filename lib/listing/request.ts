import { lsjsonArgv, type ModtimeMode } from "../rclone/argv.ts";
import type { Side } from "../rclone/hindrance.ts";
import { inquiryFlags } from "../rclone/inquiry.ts";
import type { RcloneReach } from "../rclone/reach.ts";
import type { RootKind } from "../rclone/root.ts";
import { stepCommand } from "../rclone/step.ts";
import type { CoverPlace } from "./cover.ts";
import type { OnHindrance } from "./listing-watch.ts";
import { listingsInOne } from "./places.ts";
import { rootBelow } from "./prefix.ts";

/** How rclone is reached for listings, and where its messages go. */
export interface ListingSetup extends RcloneReach {
  /** CPUs of the listing's step, under pyxis. */
  cpus: number;
  verbosity: number;
  /** The id in the error log's name. */
  runId: string;
  /** The folder in which xfer-err is made when a listing fails. */
  errorDir: string;
  /** Aborted to stop the listing. */
  stop: AbortSignal;
  /** Takes the reason why the listing waits. Without it the reason goes to stderr. */
  onHindrance?: OnHindrance | undefined;
}

/** A request for one `rclone lsjson`. */
export interface ListingRequest {
  root: string;
  /** Whether the root is the source or the destination of the transfer. */
  side: Side;
  /** The path that a container mounts to see a POSIX root, where that is not the root itself. */
  mountedRoot?: string;
  kind: RootKind;
  recursive: boolean;
  /** Whether directories are left out of the listing. */
  filesOnly: boolean;
  fastList: boolean;
  modtime: ModtimeMode;
  hash: boolean;
  /** How many folders rclone lists at a time, where it walks a tree. */
  checkers?: number;
  extraFlags: readonly string[];
  /** Places below the root that are listed in place of it, one after the other, in one start of rclone's container. */
  places?: readonly CoverPlace[];
}

/** CPUs of a listing's step under pyxis, when only one listing runs. */
export const listingCpus = 8;

/** The command of one listing through the runtime. */
export function listingCommand(setup: ListingSetup, request: ListingRequest): string[] {
  return stepCommand(setup, {
    argv: ({ configPath }) => {
      const argvOf = ({ prefix, recursive }: CoverPlace) =>
        lsjsonArgv({
          root: rootBelow(request.root, prefix),
          configPath,
          recursive,
          filesOnly: request.filesOnly,
          fastList: request.fastList,
          modtime: request.modtime,
          hash: request.hash,
          checkers: request.checkers,
          // At -vv rclone tells its version, and which requests it repeats.
          verbosity: 2,
          jsonLog: true,
          extraFlags: request.extraFlags,
        });
      return request.places
        ? listingsInOne(request.places.map(argvOf))
        : argvOf({ prefix: "", recursive: request.recursive });
    },
    readOnly: [request.mountedRoot ?? request.root],
    writable: [],
    cpus: setup.cpus,
    env: process.env,
  });
}

/**
 * The command of a listing that gives up at once, for a place that may not answer. Undefined for a path, and under pyxis,
 * where each start of rclone is a step or a job of its own.
 */
export function inquiryCommand(setup: ListingSetup, request: ListingRequest): string[] | undefined {
  if (request.kind === "posix" || setup.runtime === "pyxis") return undefined;
  const { places: _, ...whole } = request;
  return listingCommand(setup, {
    ...whole,
    recursive: false,
    fastList: false,
    modtime: "none",
    hash: false,
    extraFlags: [...request.extraFlags, ...inquiryFlags],
  });
}
