import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { S3Endpoint } from "../s3/endpoint.ts";
import { bytesOf, foldersOf, type Name, nameOf, textOf } from "./names.ts";
import type { RoundObject } from "./scenario.ts";

/** What a store holds: the hash of each object's bytes, by name. */
export type Contents = Map<Name, string>;

/** A store that a round fills and reads by itself, without rclone and without xfer. */
export interface Store {
  fill(objects: readonly RoundObject[]): void;
  contents(): Promise<Contents>;
}

/** The bytes of an object of that size and content. */
export function bodyOf({ size, content }: Pick<RoundObject, "size" | "content">): Uint8Array {
  const body = new Uint8Array(size);
  let state = (content * 2_654_435_761) >>> 0 || 1;
  for (let at = 0; at < size; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    body[at] = state;
  }
  return body;
}

export const hashOf = (bytes: Uint8Array): string => `${bytes.length}-${Bun.hash.wyhash(bytes).toString(36)}`;

/** A bucket of an endpoint. */
export class BucketStore implements Store {
  readonly #endpoint: S3Endpoint;
  readonly #bucket: string;

  constructor(endpoint: S3Endpoint, bucket: string) {
    this.#endpoint = endpoint;
    this.#bucket = bucket;
  }

  fill(objects: readonly RoundObject[]): void {
    for (const object of objects) {
      const mtime = new Date(object.mtimeMs);
      this.#endpoint.put(this.#bucket, textOf(object.name), bodyOf(object), { mtime });
    }
  }

  async contents(): Promise<Contents> {
    const found: Contents = new Map();
    for (const key of this.#endpoint.keys(this.#bucket)) {
      const body = await this.#endpoint.get(this.#bucket, key);
      if (body !== null) found.set(nameOf(key), hashOf(body));
    }
    return found;
  }
}

/** A folder, whose names are bytes. */
export class FolderStore implements Store {
  readonly #dir: string;
  readonly #owner: number | undefined;

  constructor(dir: string, owner: number | undefined) {
    this.#dir = dir;
    this.#owner = owner;
  }

  fill(objects: readonly RoundObject[]): void {
    this.#make(this.#path(""));
    for (const object of objects) {
      for (const folder of foldersOf(object.name)) this.#make(this.#path(folder));
      const path = this.#path(object.name);
      writeFileSync(path, bodyOf(object));
      utimesSync(path, object.mtimeMs / 1000, object.mtimeMs / 1000);
      if (this.#owner !== undefined) lchownSync(path, this.#owner, this.#owner);
    }
  }

  /** Takes from everybody but root the right to read a file or to list a folder. */
  close(name: Name): void {
    chmodSync(this.#path(name), 0o000);
  }

  /** Gives it back, so that the folder can be read and removed. */
  open(name: Name): void {
    chmodSync(this.#path(name), 0o755);
  }

  async contents(): Promise<Contents> {
    const found: Contents = new Map();
    if (existsSync(this.#dir)) this.#read("", found);
    return found;
  }

  #read(folder: Name, found: Contents): void {
    for (const entry of readdirSync(this.#path(folder), { encoding: "buffer" })) {
      const name = `${folder === "" ? "" : `${folder}/`}${entry.toString("latin1")}`;
      if (statSync(this.#path(name)).isDirectory()) this.#read(name, found);
      else found.set(name, hashOf(readFileSync(this.#path(name))));
    }
  }

  #make(path: Buffer): void {
    if (existsSync(path)) return;
    mkdirSync(path);
    if (this.#owner !== undefined) lchownSync(path, this.#owner, this.#owner);
  }

  #path(name: Name): Buffer {
    const dir = Buffer.from(this.#dir);
    return name === "" ? dir : Buffer.concat([dir, Buffer.from("/"), bytesOf(name)]);
  }
}
