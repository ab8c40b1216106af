import type { RootKind } from "./root.ts";

/** Whether rclone is asked to carry metadata: where both sides keep it as it is, everywhere, or nowhere. */
export const metadataModes = ["auto", "on", "off"] as const;

export type MetadataMode = (typeof metadataModes)[number];

/** The facts that decide whether rclone is asked to carry metadata. */
export interface MetadataFacts {
  source: RootKind;
  dest: RootKind;
  /** Whether one S3 endpoint copies from one to the other by itself. */
  onServer: boolean;
  /** Whether that endpoint has to copy some of the objects in parts. */
  inParts: boolean;
  mode: MetadataMode;
  /** Whether the user's flags or variables have --metadata already, with whatever value. */
  saidByUser: boolean;
}

/**
 * Whether rclone is told to carry metadata (--metadata):
 *
 * | mode | copy | --metadata |
 * |---|---|---|
 * | any | the user's own flag or variable says whether | as that says: nothing is added |
 * | off | any | no |
 * | auto, on | within one S3 endpoint, no object in parts | no: the server copies all metadata, and with --metadata rclone would send it anew, without Expires |
 * | auto, on | within one S3 endpoint, some objects in parts | yes: a copy in parts begins without metadata |
 * | auto | S3 to S3 | yes: it costs no request |
 * | auto | any other | no: metadata of one kind of place means something else at another kind |
 * | on | any | yes |
 */
export function asksForMetadata(facts: MetadataFacts): boolean {
  const { source, dest, mode, onServer, inParts, saidByUser } = facts;
  if (saidByUser || mode === "off") return false;
  if (onServer) return inParts;
  return mode === "on" || (source === "s3" && dest === "s3");
}

/** The first rclone with --metadata is 1.59. */
const metadataSince = 59;

/** The flags or variables that ask an rclone of this version for metadata. An rclone too old for the flag still copies. */
export function metadataWords(version: readonly [number, number] | undefined): {
  flags: string[];
  variables: Record<string, string>;
  reason: string | undefined;
} {
  if (version === undefined) return { flags: [], variables: { RCLONE_METADATA: "true" }, reason: undefined };
  const [major, minor] = version;
  if (major > 1 || minor >= metadataSince) return { flags: ["--metadata"], variables: {}, reason: undefined };
  return { flags: [], variables: {}, reason: `rclone ${major}.${minor} carries no metadata` };
}

/** The ends of a run as far as the host that starts it knows them; a kind is undefined where its remote is not known. */
export interface KnownEnds {
  source: RootKind | undefined;
  dest: RootKind | undefined;
  /** The choice of the user, by --metadata or by the user's own flag for rclone. */
  mode: MetadataMode;
}

const always = "content, size, modification time";
const headers = "Cache-Control, Content-Disposition, Content-Encoding, Content-Language";
const ofS3 = `content type, user metadata, ${headers}`;
// The storage class is not named here: rclone 1.60 leaves it to the destination, 1.75 and newer carry it.
const neverS3 = "tags, ACLs, Expires, redirects, encryption, object lock, older versions";
const ofFiles = "mode, owner, group, extended attributes";
const neverFiles = "ACLs, hard links, empty directories, modes and times of directories";

/**
 * One line that tells at the start of a run which properties of an object it preserves. docs/reference/preserved.md tells
 * it in full.
 *
 * | source | destination | with metadata | without |
 * |---|---|---|---|
 * | S3 | S3 | content type, user metadata, four headers | content type |
 * | S3 | path | the same as extended attributes | nothing more |
 * | path | S3 | mode, owner, extended attributes as user metadata | content type by the name |
 * | path | path | mode, owner, extended attributes | nothing more |
 * | other, or not known here | any | the metadata that both backends know | nothing more |
 */
export function preservedText({ source, dest, mode }: KnownEnds): string {
  const bothS3 = source === "s3" && dest === "s3";
  const carried = mode === "on" || (mode === "auto" && bothS3);
  const lines = (kept: readonly string[], lost: readonly string[]) => {
    const more = mode === "off" || carried ? "" : " (--metadata carries more)";
    return `preserved: ${[always, ...kept].join(", ")}; not: ${lost.join(", ")}${more}`;
  };
  if (bothS3) {
    return carried ? lines([ofS3], [neverS3]) : lines(["content type"], ["user metadata", headers, neverS3]);
  }
  if (source === "s3" && dest === "posix") {
    return carried ? lines([`as extended attributes ${ofS3}`], [neverS3]) : lines([], [ofS3, neverS3]);
  }
  if (source === "posix" && dest === "s3") {
    return carried ? lines([`as user metadata ${ofFiles}`], [neverFiles]) : lines([], [ofFiles, neverFiles]);
  }
  if (source === "posix" && dest === "posix") {
    return carried ? lines([ofFiles], [neverFiles]) : lines([], [ofFiles, neverFiles]);
  }
  if (source === undefined || dest === undefined) {
    if (mode === "auto") return `preserved: ${always}; between two S3 remotes ${ofS3} too; not: ${neverS3}`;
  }
  return carried
    ? lines(["the metadata that both backends know"], ["all else"])
    : lines([], ["metadata of any other kind"]);
}
