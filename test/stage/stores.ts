import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { S3Endpoint } from "../s3/endpoint.ts";

export type Kind = "s3" | "posix";

/** Keys are compared as hexadecimal bytes: a POSIX name may be no UTF-8. */
export const hex = (key: string | Buffer) => Buffer.from(key).toString("hex");
export const keyOf = (hexKey: string) => Buffer.from(hexKey, "hex");

/** A place that is filled and read without rclone. */
export interface Store {
  kind: Kind;
  root: string;
  holds(key: Buffer): boolean;
  put(key: Buffer, body: Buffer): void;
  /** Every key in it with its content. */
  all(): Promise<Map<string, Buffer>>;
}

/** A bucket of an endpoint, which rclone.conf names `remote`. */
export function s3Store(endpoint: S3Endpoint, remote: string, bucket: string): Store {
  endpoint.createBucket(bucket);
  const isText = (key: Buffer) => Buffer.from(key.toString()).equals(key);
  return {
    kind: "s3",
    root: `${remote}:${bucket}`,
    holds: (key) => isText(key) && key.length <= 1_024,
    put: (key, body) => endpoint.put(bucket, key.toString(), body),
    all: async () => {
      const found = new Map<string, Buffer>();
      for (const key of endpoint.keys(bucket)) {
        found.set(hex(key), Buffer.from((await endpoint.get(bucket, key)) ?? []));
      }
      return found;
    },
  };
}

/** A folder. */
export function posixStore(dir: string): Store {
  const path = (key: Buffer) => Buffer.concat([Buffer.from(`${dir}/`), key]);
  const walk = (below: Buffer, found: Map<string, Buffer>) => {
    for (const name of readdirSync(path(below), { encoding: "buffer" })) {
      const key = below.length === 0 ? name : Buffer.concat([below, Buffer.from("/"), name]);
      if (lstatSync(path(key)).isDirectory()) walk(key, found);
      else found.set(hex(key), readFileSync(path(key)));
    }
  };
  return {
    kind: "posix",
    root: dir,
    holds: (key) =>
      key
        .toString("latin1")
        .split("/")
        .every((name) => !/^\.{0,2}$|\0/.test(name) && name.length <= 255),
    put: (key, body) => {
      mkdirSync(path(key.subarray(0, Math.max(0, key.lastIndexOf("/")))), { recursive: true });
      writeFileSync(path(key), body, { flag: "wx" });
    },
    all: async () => {
      const found = new Map<string, Buffer>();
      walk(Buffer.alloc(0), found);
      return found;
    },
  };
}
