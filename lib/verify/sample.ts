import { isMd5 } from "../manifest/record.ts";
import { configFlags, directoryRoot } from "../rclone/argv.ts";
import { placeFlags } from "../rclone/place-flags.ts";
import { runStep } from "../rclone/step.ts";
import { tellCause } from "../rclone/telling.ts";
import { type RunConfig, reachOf } from "../run/config.ts";
import type { RunLayout } from "../run/layout.ts";
import { removeIfExists, writeFileDurable } from "../system/durable.ts";
import { operationFailed } from "../system/errors.ts";

/** An object that is read whole at the destination. */
export interface SampledObject {
  path: string;
  /** The MD5 in the manifest. Without one the object is read at the source too. */
  md5: string | undefined;
}

/** A large sample may take this long. */
const timeoutMs = 24 * 3600 * 1000;

/** Chooses `size` of the items that it is shown. Each item has the same chance (Vitter's algorithm R). */
export class Sample<T> {
  readonly items: T[] = [];
  readonly #size: number;
  readonly #random: () => number;
  #seen = 0;

  constructor(size: number, random: () => number) {
    this.#size = size;
    this.#random = random;
  }

  /** Shows the next item, which is made only if it is chosen. */
  add(make: () => T): void {
    this.#seen++;
    if (this.items.length < this.#size) this.items.push(make());
    else {
      const index = Math.floor(this.#random() * this.#seen);
      if (index < this.#size) this.items[index] = make();
    }
  }
}

/**
 * Reads objects at the destination, and returns which of them differ, and why. Their content is held against the MD5 in the
 * manifest, or against the source's content where the manifest has none. Throws operation failed when an object that is there
 * cannot be read.
 */
export async function differingContent(
  run: RunLayout,
  config: RunConfig,
  objects: readonly SampledObject[],
): Promise<Map<string, string>> {
  const dest = await contentHashes(run, config, config.dest_root, objects);
  const unhashed = objects.filter(({ md5 }) => !isMd5(md5));
  const source = await contentHashes(run, config, config.source_root, unhashed);
  const differing = new Map<string, string>();
  for (const { path, md5 } of objects) {
    const wanted = isMd5(md5) ? md5.toLowerCase() : source.get(path);
    if (wanted === undefined)
      differing.set(path, "read as a sample: not at the source any more, to compare with");
    else if (!dest.has(path)) differing.set(path, "read as a sample: not at the destination any more");
    else if (dest.get(path) !== wanted)
      differing.set(path, "read as a sample: other content at the destination");
  }
  return differing;
}

/** The MD5 of each object's content, by path. rclone passes over an object that is not there. */
async function contentHashes(
  run: RunLayout,
  config: RunConfig,
  root: string,
  objects: readonly SampledObject[],
): Promise<Map<string, string>> {
  if (objects.length === 0) return new Map();
  const keys = run.verifyKeys;
  writeFileDurable(keys, objects.map(({ path }) => `${path}\n`).join(""));
  const step = {
    argv: (seen: { configPath: string | undefined; keys: string }) => [
      ...["rclone", "hashsum", "MD5", "--download", directoryRoot(root), "--files-from-raw", seen.keys],
      ...placeFlags(config.rclone_flags),
      ...configFlags(seen.configPath),
    ],
    readOnly: [root],
    writable: [],
    ...{ keys, cpus: config.cpus_per_task, env: process.env },
  };
  const result = await runStep(reachOf(config), step, { timeoutMs });
  removeIfExists(keys);
  const hashes = new Map<string, string>();
  for (const line of result.stdout.split("\n")) {
    const match = /^([0-9a-f]{32}) {2}(.*)$/s.exec(line);
    if (match?.[1] && match[2] !== undefined) hashes.set(match[2], match[1]);
  }
  if (result.code !== 0) {
    const said = tellCause(result.stderr, { configPath: config.rclone_config ?? undefined })?.message ?? "";
    const left = objects.length - hashes.size;
    throw operationFailed(
      `${left} of ${objects.length} sampled objects of ${root} could not be read (exit code ${result.code}): ${said}`,
    );
  }
  return hashes;
}
