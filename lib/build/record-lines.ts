import type { ListingEntry } from "../listing/entry.ts";
import { type ManifestRecord, manifestSchemaName } from "../manifest/record.ts";
import { joinRoot } from "../rclone/root.ts";

/** The entry of which a record is made. An inventory has ETags too, which rclone does not list. */
export interface ManifestEntry extends ListingEntry {
  ETag?: string;
}

/** The fields that all records of a manifest have in common. */
export interface ManifestOrigin {
  runId: string;
  sourceRoot: string;
  destRoot: string;
}

/** Makes the manifest lines of listed objects. Their common part is formatted only once. */
export class RecordLines {
  readonly #beforeSource: string;
  readonly #beforeDest: string;

  constructor({ runId, sourceRoot, destRoot }: ManifestOrigin) {
    const common = {
      schema: manifestSchemaName,
      run_id: runId,
      source_root: sourceRoot,
      dest_root: destRoot,
    } satisfies Partial<ManifestRecord>;
    this.#beforeSource = `${JSON.stringify(common).slice(0, -1)},"source":"${inString(joinRoot(sourceRoot, ""))}`;
    this.#beforeDest = `","dest":"${inString(joinRoot(destRoot, ""))}`;
  }

  /** The line of an object, its newline included. It is the text that JSON.stringify makes of the record. */
  lineOf(entry: ManifestEntry): string {
    const { Path, Size, ModTime, Hashes, ETag, Tier } = entry;
    const key = inString(Path);
    return (
      `${this.#beforeSource}${key}${this.#beforeDest}${key}","path":"${key}","size":${Size},` +
      `"mtime":${stringOrNull(ModTime)},"hashes":${Hashes ? JSON.stringify(Hashes) : "{}"},` +
      `"etag":${stringOrNull(ETag)},"storage_class":${stringOrNull(Tier)},"meta":{}}\n`
    );
  }
}

/** A text as it is written between the quotes of a JSON string. */
function inString(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function stringOrNull(text: string | undefined): string {
  return text ? JSON.stringify(text) : "null";
}
