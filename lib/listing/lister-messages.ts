import * as v from "valibot";

/** A folder below the listed root that could not be listed, or an entry there that rclone dropped. */
export interface Unlistable {
  /** The path as rclone shows it; empty for the root itself. */
  path: string;
  reason: string;
}

const lineSchema = v.object({ level: v.string(), msg: v.string(), object: v.optional(v.string()) });

/**
 * Failures that concern one folder of a file system, and that the next listing would meet again. A refusal by an object store
 * is none of them: it may be due to an expired token, and then concern everything that follows.
 */
const ofTheFolder =
  /permission denied|operation not permitted|no such file or directory|directory not found|not a directory|file name too long|too many levels of symbolic links|input\/output error/i;
/** With more folders than this the whole listing has failed. */
const unlistableMax = 100_000;
/** rclone's messages for keys that it leaves out because they fit no directory tree: fs/list and backend/s3. */
const droppedText = /doesn't belong in directory|Odd name received/;

/**
 * Reads the messages of `rclone lsjson --use-json-log`, line by line, and tells which entries the listing lacks. After a folder
 * that it cannot list, rclone goes on, and ends with an exit code that is not 0. rclone 1.60 then leaves out the closing
 * bracket.
 */
export class ListerMessages {
  /** How many symbolic links, devices and the like rclone left out: it copies none of them. */
  leftOut = 0;
  firstLeftOut: string | undefined;
  /** rclone's version, such as 1.60.1-DEV. rclone tells it at -vv. */
  version: string | undefined;
  /** Entries that rclone dropped without failing. */
  readonly dropped: Unlistable[] = [];
  readonly #folders = new Map<string, string>();
  #end: string | undefined;
  #other: string | undefined;

  /** Takes one line, and returns it in a form for people. */
  take(line: string): string {
    const parsed = parseLine(line);
    if (!parsed) {
      this.#takePlain(line.trim());
      return line;
    }
    const { level, msg, object = "" } = parsed;
    this.#takeMessage(level, msg, object);
    return `${level.toUpperCase().padEnd(6)}: ${object === "" ? "" : `${object}: `}${msg}`;
  }

  #takeMessage(level: string, msg: string, object: string): void {
    const isError = level === "error" || level === "critical" || level === "fatal";
    if (/Can't follow symlink|Can't transfer non file\/directory/.test(msg)) {
      this.leftOut++;
      this.firstLeftOut ??= `${object}: ${msg}`;
    } else if (level === "debug") this.version ??= /^Version "v([^"]+)"/.exec(msg)?.[1];
    else if (droppedText.test(msg)) this.#drop(object, msg);
    else if (/^Failed to lsjson/.test(msg)) this.#end = msg;
    else if (isError) this.#takeError(object, msg);
  }

  #drop(object: string, msg: string): void {
    // In the S3 backend's messages the object is the backend itself, and the key is in the text.
    const path = /Odd name received "(.*)"/.exec(msg)?.[1] ?? object;
    if (this.dropped.length < unlistableMax) this.dropped.push({ path, reason: msg });
  }

  #takeError(folder: string, msg: string): void {
    // The first message about a folder tells the cause. Later ones may tell less.
    if (this.#folders.has(folder)) return;
    if (ofTheFolder.test(msg) && this.#folders.size < unlistableMax) this.#folders.set(folder, msg);
    else this.#other ??= msg;
  }

  #takePlain(line: string): void {
    const text = line.replace(/^\S+ \S+ /, "");
    if (/^(?:NOTICE: )?Failed to lsjson/.test(text)) this.#end = text;
    else if (/error|fatal|failed|killed|cancelled/i.test(line)) this.#other ??= line;
  }

  /**
   * The folders that could not be listed, when rclone came to its own end and nothing else went wrong: the listing then
   * holds all other objects. The path of the root is "". Undefined when the listing as a whole has failed.
   */
  unlistable(): Unlistable[] | undefined {
    if (this.#end === undefined || this.#other !== undefined) return undefined;
    const folders = [...this.#folders].map(([path, reason]) => ({ path, reason }));
    // Only the last message tells of a root that is absent.
    if (folders.length === 0 && ofTheFolder.test(this.#end)) {
      return [{ path: "", reason: this.#end }];
    }
    return folders.length > 0 ? folders : undefined;
  }
}

function parseLine(line: string): v.InferOutput<typeof lineSchema> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const result = v.safeParse(lineSchema, JSON.parse(line));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
