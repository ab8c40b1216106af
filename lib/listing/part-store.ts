import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { AtomicFile, readTextIfExists, removeIfExists, writeFileDurable } from "../system/durable.ts";
import { invalidInput } from "../system/errors.ts";
import { readJsonFile } from "../system/json-file.ts";
import { type Part, prefixFile } from "./parts.ts";

/** The folder beside an output that holds the finished parts of its listing until the output is written. */
export function partsDirOf(out: string): string {
  return `${out}.parts`;
}

/** A part holds everything below its prefix ("tree"), or only the level directly below it. */
export type PartKind = "tree" | "level";

/** The schema of the note of a part. */
export const noteSchema = v.object({
  schema: v.literal("xfer.part.v1"),
  objects: v.number(),
  left_out: v.number(),
  first_left_out: v.nullable(v.string()),
  /** Why rclone left an entry out of a level, which is no part then; null when it did not. */
  dropped: v.nullable(v.string()),
  /** Folders below the prefix that could not be listed; "" is the prefix itself. */
  unlistable: v.optional(v.array(v.object({ path: v.string(), reason: v.string() })), []),
});

/** The note of a part: everything about it beside its entries. */
export type PartNote = Omit<v.InferOutput<typeof noteSchema>, "schema">;

/** A part that was listed. */
export interface KeptPart extends Part {
  note: PartNote;
}

/** The folder of the finished parts of one listing. A part that has its name and its note is whole. */
export class PartStore {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /**
   * Opens the folder, or makes it. `binding` identifies the listing. Throws invalid input for a folder that was made for another
   * listing, and leaves that as it is.
   */
  static open(dir: string, binding: Readonly<Record<string, unknown>>): PartStore {
    mkdirSync(dir, { recursive: true });
    const path = join(dir, "listing.json");
    const text = `${JSON.stringify({ schema: "xfer.parts.v1", ...binding })}\n`;
    const there = readTextIfExists(path);
    if (there === undefined && readdirSync(dir).some((name) => !name.startsWith("listing.json"))) {
      throw invalidInput(`${dir}: is no folder of parts that xfer made: remove it or choose another --out`);
    }
    if (there !== undefined && there !== text) {
      throw invalidInput(
        `${dir}: holds parts of another listing (other root or flags, see listing.json there): remove it to list anew`,
      );
    }
    if (there === undefined) writeFileDurable(path, text);
    for (const name of readdirSync(dir)) {
      if (/\.tmp\.\d+$/.test(name)) rmSync(join(dir, name), { force: true });
    }
    return new PartStore(dir);
  }

  /** The part of this prefix; undefined when it was not listed to its end. */
  find(kind: PartKind, prefix: string): KeptPart | undefined {
    const path = this.#path(kind, prefix);
    if (readTextIfExists(prefixFile(path)) !== prefix) return undefined;
    const note = readJsonFile(noteFile(path), noteSchema);
    if (note.kind !== "value" || (note.value.dropped === null && !existsSync(path))) return undefined;
    return { path, prefix, note: note.value };
  }

  /** Starts a part. `keep` writes its other files; call it when `file` is committed. */
  start(
    kind: PartKind,
    prefix: string,
  ): { file: AtomicFile; path: string; keep: (note: PartNote) => KeptPart } {
    const path = this.#path(kind, prefix);
    // Without its note a part does not count, whatever files an earlier try has left.
    removeIfExists(noteFile(path));
    const file = new AtomicFile(path);
    return {
      file,
      path,
      keep: (note) => {
        writeFileDurable(prefixFile(path), prefix);
        writeFileDurable(noteFile(path), `${JSON.stringify({ schema: "xfer.part.v1", ...note })}\n`);
        return { path, prefix, note };
      },
    };
  }

  /** How many parts are in the folder. */
  get count(): number {
    return readdirSync(this.dir).filter((name) => name.endsWith(".json") && name.startsWith("lsjson-"))
      .length;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The name of a part is made of a digest, since prefixes may be long and hold any character. A sidecar holds the prefix. */
  #path(kind: PartKind, prefix: string): string {
    const digest = createHash("sha256").update(prefix).digest("hex").slice(0, 24);
    return join(this.dir, `lsjson-${kind}-${digest}.json`);
  }
}

function noteFile(partPath: string): string {
  return partPath.replace(/\.json$/, ".note");
}
