import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { noSuchBucket } from "./errors.ts";
import { compareUtf8 } from "./listing.ts";

/** One stored object: its body is the file of that name, its headers are what HEAD and GET send back. */
export interface StoredObject {
  file: string;
  size: number;
  /** Without quotes. */
  etag: string;
  modifiedMs: number;
  headers: Record<string, string>;
}

/** A body that is complete on disk but belongs to no key yet. */
export interface Body {
  file: string;
  size: number;
  md5: Buffer;
}

/** A line of the index: the whole state is the result of reading them in order. */
type IndexLine =
  | { op: "bucket"; bucket: string; createdMs: number }
  | { op: "drop-bucket"; bucket: string }
  | { op: "put"; bucket: string; key: string; object: StoredObject }
  | { op: "delete"; bucket: string; key: string };

interface Bucket {
  createdMs: number;
  objects: Map<string, StoredObject>;
  sorted: string[];
  /** Keys that came after `sorted` was made; merged when a listing needs the order. */
  added: string[];
  hasRemovals: boolean;
}

const chunkBytes = 256 * 1024;

/** Writes one body to its file while it hashes it. */
class BodyWriter {
  private readonly hash = new Bun.CryptoHasher("md5");
  private readonly descriptor: number;
  private size = 0;

  constructor(
    private readonly path: string,
    private readonly file: string,
  ) {
    this.descriptor = openSync(path, "w");
  }

  /** Writes synchronously, so a sender is never ahead of the disk and nothing piles up in memory. */
  write(chunk: Uint8Array): void {
    this.hash.update(chunk);
    for (let done = 0; done < chunk.length; ) done += writeSync(this.descriptor, chunk, done);
    this.size += chunk.length;
  }

  finish(): Body {
    closeSync(this.descriptor);
    return { file: this.file, size: this.size, md5: this.hash.digest() };
  }

  discard(): void {
    closeSync(this.descriptor);
    rmSync(this.path, { force: true });
  }
}

/** Objects on disk: bodies in numbered files, everything else in memory and in an index that is appended to. */
export class Store {
  private readonly buckets = new Map<string, Bucket>();
  private nextFile = 1;
  private index = -1;

  constructor(private readonly directory: string) {
    mkdirSync(join(directory, "bodies"), { recursive: true });
    const indexPath = join(directory, "index.jsonl");
    if (existsSync(indexPath)) {
      for (const line of readFileSync(indexPath, "utf8").split("\n")) this.replay(line);
    }
    this.removeOrphans();
    const lines: IndexLine[] = [];
    for (const [bucket, { createdMs, objects }] of this.buckets) {
      lines.push({ op: "bucket", bucket, createdMs });
      for (const [key, object] of objects) lines.push({ op: "put", bucket, key, object });
    }
    writeFileSync(`${indexPath}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    renameSync(`${indexPath}.new`, indexPath);
    this.index = openSync(indexPath, "a");
  }

  close(): void {
    if (this.index >= 0) closeSync(this.index);
    this.index = -1;
  }

  createBucket(bucket: string): void {
    if (!this.buckets.has(bucket)) this.record({ op: "bucket", bucket, createdMs: Date.now() });
  }

  dropBucket(bucket: string): void {
    this.record({ op: "drop-bucket", bucket });
  }

  hasBucket(bucket: string): boolean {
    return this.buckets.has(bucket);
  }

  bucketList(): { name: string; createdMs: number }[] {
    const list = [...this.buckets].map(([name, { createdMs }]) => ({ name, createdMs }));
    return list.sort((a, b) => compareUtf8(a.name, b.name));
  }

  find(bucket: string, key: string): StoredObject | undefined {
    return this.bucket(bucket).objects.get(key);
  }

  /** The keys of a bucket in listing order. */
  keys(name: string): readonly string[] {
    const bucket = this.bucket(name);
    if (bucket.hasRemovals) {
      // A key may have been removed and added again, so both arrays can hold it: start over.
      bucket.sorted = [...bucket.objects.keys()].sort(compareUtf8);
      bucket.added = [];
      bucket.hasRemovals = false;
    } else if (bucket.added.length > 0) {
      bucket.sorted = merged(bucket.sorted, bucket.added.sort(compareUtf8));
      bucket.added = [];
    }
    return bucket.sorted;
  }

  newBody(): BodyWriter {
    const file = (this.nextFile++).toString(36);
    return new BodyWriter(this.path(file), file);
  }

  /** A second name for a body that is there already: a copy without copying bytes. */
  linkBody(object: StoredObject): string {
    const file = (this.nextFile++).toString(36);
    linkSync(this.path(object.file), this.path(file));
    return file;
  }

  put(bucket: string, key: string, object: StoredObject): void {
    const old = this.find(bucket, key);
    this.record({ op: "put", bucket, key, object });
    if (old !== undefined) this.discard(old.file);
  }

  remove(bucket: string, key: string): boolean {
    const old = this.find(bucket, key);
    if (old === undefined) return false;
    this.record({ op: "delete", bucket, key });
    this.discard(old.file);
    return true;
  }

  discard(file: string): void {
    rmSync(this.path(file), { force: true });
  }

  path(file: string): string {
    return join(this.directory, "bodies", file);
  }

  /** Feeds a byte range of a body to `take`, a bounded chunk at a time. */
  async read(file: string, range: { start: number; end: number }, take: (chunk: Uint8Array) => void) {
    const descriptor = openSync(this.path(file), "r");
    try {
      for (let at = range.start; at < range.end; ) {
        const chunk = readChunk(descriptor, at, range.end);
        take(chunk);
        at += chunk.length;
        // Others get their turn between the chunks of a long body.
        if (at < range.end) await Bun.sleep(0);
      }
    } finally {
      closeSync(descriptor);
    }
  }

  /** Appends the other files to the first and removes them. */
  async concatenate(files: readonly string[], firstBytes: number): Promise<void> {
    const [first, ...others] = files;
    if (first === undefined || others.length === 0) return;
    const target = openSync(this.path(first), "r+");
    try {
      ftruncateSync(target, firstBytes);
      let at = firstBytes;
      for (const file of others) {
        await this.read(file, { start: 0, end: Bun.file(this.path(file)).size }, (chunk) => {
          for (let done = 0; done < chunk.length; ) {
            const wrote = writeSync(target, chunk, done, chunk.length - done, at);
            done += wrote;
            at += wrote;
          }
        });
        this.discard(file);
      }
    } finally {
      closeSync(target);
    }
  }

  private bucket(name: string): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw noSuchBucket();
    return bucket;
  }

  private record(line: IndexLine): void {
    writeSync(this.index, `${JSON.stringify(line)}\n`);
    this.apply(line);
  }

  private replay(text: string): void {
    if (text === "") return;
    let line: IndexLine;
    try {
      line = JSON.parse(text);
    } catch {
      return; // a process that was killed may have left half a line at the end
    }
    this.apply(line);
  }

  private apply(line: IndexLine): void {
    if (line.op === "bucket") {
      const { createdMs } = line;
      this.buckets.set(line.bucket, {
        createdMs,
        objects: new Map(),
        sorted: [],
        added: [],
        hasRemovals: false,
      });
    } else if (line.op === "drop-bucket") {
      this.buckets.delete(line.bucket);
    } else if (line.op === "put") {
      const bucket = this.bucket(line.bucket);
      if (!bucket.objects.has(line.key)) bucket.added.push(line.key);
      bucket.objects.set(line.key, line.object);
    } else {
      const bucket = this.bucket(line.bucket);
      bucket.objects.delete(line.key);
      bucket.hasRemovals = true;
    }
  }

  /** Removes bodies that no key owns (parts of unfinished uploads) and numbers new files after the last. */
  private removeOrphans(): void {
    const owned = new Set<string>();
    for (const { objects } of this.buckets.values()) for (const { file } of objects.values()) owned.add(file);
    for (const file of readdirSync(join(this.directory, "bodies"))) {
      if (owned.has(file)) this.nextFile = Math.max(this.nextFile, Number.parseInt(file, 36) + 1);
      else this.discard(file);
    }
  }
}

/** Reads up to one chunk of an open file; a body that is shorter than its index entry says is an error. */
export function readChunk(descriptor: number, start: number, end: number): Uint8Array {
  const chunk = new Uint8Array(Math.min(chunkBytes, end - start));
  const got = readSync(descriptor, chunk, 0, chunk.length, start);
  if (got === 0) throw new Error("a stored body is shorter than its index entry says");
  return chunk.subarray(0, got);
}

function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = [];
  let i = 0;
  for (const key of b) {
    for (let other = a[i]; other !== undefined && compareUtf8(other, key) < 0; other = a[++i])
      all.push(other);
    all.push(key);
  }
  for (; i < a.length; i++) all.push(a[i] ?? "");
  return all;
}
