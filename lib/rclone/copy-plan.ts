import { asksForMetadata, type MetadataMode, metadataWords } from "./preserved.ts";
import type { RootKind } from "./root.ts";

/** The facts that decide the flags of a copy. */
export interface CopyFacts {
  source: RootKind;
  dest: RootKind;
  /** Whether one S3 endpoint holds both, and whether rclone sees that by itself. */
  serverSide: "same-remote" | "same-endpoint" | "apart";
  /** The largest object of the shard, in bytes. */
  largestBytes: number;
  /** rclone's version, when it is known: [1, 60]. */
  version: readonly [number, number] | undefined;
  /** The size from which rclone copies one object in several streams, when the user says it; 0 for never. */
  multiThreadCutoffBytes: number | undefined;
  /** Whether the user's own flags make rclone compare with the destination. */
  comparesDestination: boolean;
  /** Whether a listing found these very objects at the destination, with the same size. */
  mayBeThere: boolean;
  metadata: MetadataMode;
  /** The value of --metadata in the user's own flags for rclone; undefined when they do not have it. */
  metadataSaid: boolean | undefined;
  /** The size from which the server copies in parts, when the remote or the user says it. */
  serverCopyCutoffBytes: number | undefined;
}

/** The flags and variables with which rclone copies, and why. */
export interface CopyPlan {
  flags: string[];
  /** Variables that stand for flags which an older rclone would refuse; it ignores the variables. */
  variables: Readonly<Record<string, string>>;
  reason: string;
}

const mebibyte = 1024 * 1024;
/** rclone 1.60 to 1.63 copy to local disk in several streams from 250 MiB on; newer ones do so to S3 too, from 256 MiB. */
const multiThreadCutoffDefault = 250 * mebibyte;
/** From this size on S3 wants a server-side copy in parts, for which rclone must know the size (--s3-copy-cutoff). */
const copyCutoffBytes = 4 * 1024 * mebibyte;
/**
 * From 1.68 on rclone derives the name of a temporary file from facts about the object, for which it asks S3 with a HEAD
 * each. Up to 1.71.0 a name of more than 100 bytes is cut before it goes into the temporary name. Objects of one size whose
 * names begin alike then share a temporary file, and some of them end with the content of another.
 */
const temporaryNames = { from: 68, collideTo: 71 };

/** Variables that keep other backends from looking for a bucket; an rclone without such an option ignores them. */
const noBucketChecks = [
  "RCLONE_AZUREBLOB_NO_CHECK_CONTAINER",
  "RCLONE_GCS_NO_CHECK_BUCKET",
  "RCLONE_OOS_NO_CHECK_BUCKET",
];

/**
 * The flags that copy a list of objects with the fewest requests that are safe for the two places:
 *
 * | source | destination | when | an object costs |
 * |---|---|---|---|
 * | s3 | s3 | | GET + PUT |
 * | s3 | s3 | large, and rclone copies in several streams | HEAD + GETs + PUTs |
 * | s3 | s3 | one endpoint | a copy on the server and HEADs; no byte passes the node |
 * | s3 | posix, other | small | GET |
 * | s3 | posix, other | large | HEAD + GETs |
 * | posix, other | s3 | | PUT |
 * | posix, other | posix, other | | what the backend needs to find it |
 * | any | any | may be there already, or the user's flags compare | a look at both sides first |
 *
 * No backend looks for the bucket or creates it, since the look at the destination has told that the bucket is there.
 * rclone never lists, since it would list every ancestor directory of every key.
 *
 * Metadata goes along as `asksForMetadata` says. Between two S3 endpoints an object whose content is at the destination
 * already keeps the metadata that it has there: when rclone corrects its time, it would drop its headers.
 *
 * To posix and other, a file is written under its own name at once where a temporary name would cost a HEAD or could be
 * the name of another file. rclone 1.60 always writes like that.
 */
export function copyPlan(facts: CopyFacts): CopyPlan {
  const { source, dest } = facts;
  const flags = ["--no-traverse"];
  const reasons = [`${source} to ${dest}`];
  const compares = facts.comparesDestination || facts.mayBeThere;
  if (!compares) flags.push("--no-check-dest");
  if (facts.mayBeThere) reasons.push("compared, since the destination has objects of these sizes");
  else reasons.push(compares ? "compared, as the user's flags ask" : "the destination is not asked first");
  const onServer = facts.serverSide !== "apart";
  if (onServer) reasons.push("one endpoint: copied on the server");
  if (facts.serverSide === "same-endpoint") flags.push("--server-side-across-configs");
  if (dest === "s3") flags.push("--s3-no-head");
  if (dest !== "posix") flags.push("--s3-no-check-bucket");
  if (source === "s3") {
    const sizeFor = sizeNeededFor(facts, compares, onServer);
    if (sizeFor === undefined) flags.push("--s3-no-head-object");
    reasons.push(sizeFor === undefined ? "no HEAD before the GET" : `a HEAD first, ${sizeFor}`);
  }
  const inPlace = dest !== "s3" && (flags.includes("--s3-no-head-object") || collides(facts));
  if (inPlace) reasons.push("under its own name at once");
  const variables: Record<string, string> = inPlace ? { RCLONE_INPLACE: "true" } : {};
  if (dest === "other") for (const name of noBucketChecks) variables[name] = "true";
  const inParts = facts.largestBytes >= (facts.serverCopyCutoffBytes ?? copyCutoffBytes);
  const saidByUser = facts.metadataSaid !== undefined;
  const asks = asksForMetadata({ source, dest, onServer, inParts, mode: facts.metadata, saidByUser });
  const asked = asks ? metadataWords(facts.version) : undefined;
  flags.push(...(asked?.flags ?? []));
  Object.assign(variables, asked?.variables);
  if (asked?.reason !== undefined) reasons.push(asked.reason);
  const isWanted = facts.metadataSaid ?? facts.metadata !== "off";
  if (isWanted && compares && source === "s3" && dest === "s3") flags.push("--no-update-modtime");
  return { flags, variables, reason: reasons.join("; ") };
}

/**
 * Whether temporary names of this rclone can collide. An unknown version counts as one whose names can. The exception are
 * flags of the user's that compare: with them (--ignore-existing) a file that a killed rclone left half written under its
 * own name could be taken for the object, and a temporary name is the lesser evil.
 */
function collides({ version, comparesDestination }: CopyFacts): boolean {
  if (version === undefined) return !comparesDestination;
  const { from, collideTo } = temporaryNames;
  return version[0] === 1 && version[1] >= from && version[1] <= collideTo;
}

/** Why rclone must know the size of a source object before opening it, or undefined when it need not. */
function sizeNeededFor(facts: CopyFacts, compares: boolean, onServer: boolean): string | undefined {
  if (compares) return "to compare";
  if (onServer) return facts.largestBytes >= copyCutoffBytes ? "for a copy in parts" : undefined;
  const cutoff = facts.multiThreadCutoffBytes ?? multiThreadCutoffDefault;
  const [major, minor] = facts.version ?? [1, 999];
  const multiThreads = facts.dest === "posix" || major > 1 || minor >= 64;
  return cutoff > 0 && multiThreads && facts.largestBytes >= cutoff ? "for several streams" : undefined;
}
