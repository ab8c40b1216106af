import { configFlags } from "../rclone/argv.ts";
import { bucketOf, makesBucketFlags } from "../rclone/bucket.ts";
import { parseRoot, type RemoteContext, remoteType } from "../rclone/remote-options.ts";
import { joinRoot, rootKind } from "../rclone/root.ts";
import { runStep } from "../rclone/step.ts";
import { tellCause } from "../rclone/telling.ts";
import { exitCodes, invalidInput, messageOf, operationFailed, XferError } from "../system/errors.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { log } from "../system/log.ts";
import { type ListingEnd, runListing } from "./lister.ts";
import { forEachEntry } from "./read-entries.ts";
import type { ListingSetup } from "./request.ts";

/** A destination whose bucket must exist before anything is copied. */
export interface BucketNeeds {
  root: string;
  /** Whether a missing bucket is created. */
  create: boolean;
  /** The remotes, variables and flags that decide how rclone reaches the root. */
  context: RemoteContext;
  /** More flags that decide how rclone reaches the root. */
  extraFlags: readonly string[];
}

/** The error of a destination whose bucket does not exist. */
export class MissingBucket extends XferError {
  constructor(message: string) {
    super(message, exitCodes.usage);
  }
}

/** Throws invalid input when --create-bucket is for a destination that names no bucket. */
export function checkCreateBucket(root: string, create: boolean, context: RemoteContext): void {
  const parsed = parseRoot(root);
  if (!create || parsed.form === "posix" || parsed.path !== "" || bucketOf(root, context)) return;
  if (rootKind(root, context.remotes, context.env) === "s3") {
    throw invalidInput(`--create-bucket: ${root} names no bucket: write ${root}BUCKET`);
  }
}

/** The message for a destination whose bucket does not exist. */
export function missingBucketText(name: string): string {
  return `bucket ${name} does not exist at the destination: create it, or use --create-bucket`;
}

/** A prefix that no data set has: to list it takes one request, whatever the bucket holds. */
const emptyPrefix = ".xfer-look-for-the-bucket";
const createTimeoutMs = 300_000;

/** Asks with one LIST whether the bucket of a root exists. `absent` of the result says that it does not. */
export function lookForBucket(
  setup: ListingSetup,
  { root, context, extraFlags }: BucketNeeds,
): Promise<ListingEnd> {
  return runListing(setup, {
    request: {
      root: joinRoot(root, emptyPrefix),
      mountedRoot: root,
      side: "destination",
      kind: bucketOf(root, context)?.type === "s3" ? "s3" : "other",
      recursive: false,
      filesOnly: true,
      fastList: false,
      modtime: "none",
      hash: false,
      extraFlags,
    },
    empty: "absent-too",
    consume: async (stream) => {
      const closed = await forEachEntry(stream, () => {}, { mayStayOpen: true });
      return { objects: 0, closed };
    },
  });
}

/**
 * What follows when rclone finds no directory at the root of a destination:
 *
 * | the root lies in | --create-bucket | |
 * |---|---|---|
 * | a bucket | no | throws MissingBucket |
 * | a bucket, or a remote that is not known | yes | rclone creates it, and a second look must find it |
 * | a path, or another backend | any | nothing: rclone makes folders when it copies |
 */
export async function settleAbsentRoot(setup: ListingSetup, needs: BucketNeeds): Promise<void> {
  const { root, context } = needs;
  const bucket = bucketOf(root, context);
  if (!needs.create) {
    if (bucket) throw new MissingBucket(missingBucketText(bucket.name));
    return;
  }
  const parsed = parseRoot(root);
  if (parsed.form === "posix" || (!bucket && remoteType(parsed, context) !== undefined)) return;
  const name = bucket?.name ?? root;
  await makeRoot(setup, needs, name);
  const { absent } = await lookForBucket(setup, needs);
  if (absent) throw new MissingBucket(`bucket ${name} is not there although rclone mkdir ended well`);
  log.info(`bucket ${name} was created at the destination`);
}

async function makeRoot(setup: ListingSetup, needs: BucketNeeds, name: string): Promise<void> {
  const { root, context } = needs;
  const own = makesBucketFlags(bucketOf(root, context));
  const step = {
    argv: ({ configPath }: { configPath: string | undefined }) => [
      ...["rclone", "mkdir", ...configFlags(configPath), ...needs.extraFlags, ...own, root],
    ],
    ...{ readOnly: [], writable: [root], cpus: setup.cpus, env: process.env },
  };
  const { code, stderr } = await runStep(setup, step, { timeoutMs: createTimeoutMs });
  throwIfStopped(setup.stop, "run the same command again");
  if (code === 0) return;
  const said =
    tellCause(stderr, { configPath: setup.configPath })?.message ?? `rclone ended with exit code ${code}`;
  throw operationFailed(`bucket ${name} could not be created at the destination: ${said}`);
}

/** Flags of the look before anything else: it must not wait long for a place that does not answer. */
const hasty = ["--retries", "1", "--low-level-retries", "1", "--contimeout", "10s", "--timeout", "20s"];

/**
 * Looks for the bucket of a destination before the source is listed. If the look fails there is only a warning, since the
 * agents look again. Throws MissingBucket, or operation failed when the bucket cannot be created.
 */
export async function requireBucket(setup: ListingSetup, needs: BucketNeeds): Promise<void> {
  if (!bucketOf(needs.root, needs.context)) return;
  let absent: boolean;
  try {
    const extraFlags = [...needs.extraFlags, ...hasty];
    ({ absent } = await lookForBucket({ ...setup, verbosity: 0 }, { ...needs, extraFlags }));
  } catch (error) {
    if (setup.stop.aborted || !(error instanceof XferError)) throw error;
    log.warn(`the destination could not be looked at yet: ${messageOf(error)}`);
    return;
  }
  if (absent) await settleAbsentRoot(setup, needs);
}
