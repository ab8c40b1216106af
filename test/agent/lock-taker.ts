import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ShardLock } from "../../agent/lock.ts";

/**
 * Takes every lock of a directory that it can get, from a moment on, and keeps it: prints the names of those that it holds.
 * Lives until its stdin closes, so that it can be asked for.
 */
const [dir = "", startAt = "0", first = "0"] = process.argv.slice(2);
const names = readdirSync(dir).filter((name) => /^shard_\d+\.lock$/.test(name));
await Bun.sleep(Math.max(0, Number(startAt) - Date.now()));
const held: string[] = [];
for (let i = 0; i < names.length; i++) {
  const name = names[(i + Number(first)) % names.length] as string;
  const path = join(dir, name);
  const request = { path, progressPath: `${path}.progress`, shard: 0, submission: "test" };
  try {
    await ShardLock.take({ ...request, stop: new AbortController().signal });
    held.push(name);
  } catch {
    // Another one holds it.
  }
}
console.log(JSON.stringify(held));
for await (const _ of Bun.stdin.stream()) {
  // Nothing comes.
}
