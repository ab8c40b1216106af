import { isMarker } from "../listing/entry.ts";
import { KeyTable } from "../manifest/key-table.ts";
import { joinRoot } from "../rclone/root.ts";
import { invalidInput, operationFailed } from "../system/errors.ts";
import { inputChunks, inputName } from "../system/input.ts";
import { throwIfStopped } from "../system/interrupt.ts";
import { forEachLine } from "../system/lines.ts";
import { formatCount } from "../system/units.ts";
import { type BuildOptions, type BuildResult, buildManifest } from "./from-listing.ts";
import type { Markers } from "./write.ts";

/** What an import of bare keys is asked to do. */
export interface KeysOptions extends Omit<BuildOptions, "choice"> {
  /** A file with a key a line, as rclone shows keys; "-" for stdin. */
  input: string;
}

/**
 * Makes a manifest of the objects whose keys are in a list, in the order of the listing: a list of keys tells no sizes,
 * so the source is listed once (LIST requests only, but for all that is below the root). Directory markers are left out,
 * whether they are there or not: most are in no listing.
 * Throws operation failed, leaving no manifest, when a key of the list is not at the source.
 */
export async function importKeys(options: KeysOptions): Promise<BuildResult> {
  const { input } = options;
  const name = inputName(input);
  const keys = new KeyTable();
  const markers: Markers = { objects: 0, first: undefined };
  await forEachKey(inputChunks(input, options.stop), name, (key) => {
    throwIfStopped(options.stop, "no manifest was written");
    if (isMarker({ Path: key })) {
      markers.objects++;
      markers.first ??= joinRoot(options.sourceRoot, key);
    } else keys.add(key);
  });
  if (keys.size === 0) throw invalidInput(`${name}: no key in it`);
  const found = new Uint8Array(keys.size);
  let missing = keys.size;
  const built = await buildManifest({
    ...options,
    choice: {
      takes: (path) => {
        const index = keys.find(path);
        if (index === -1) return false;
        if (found[index] === 0) missing--;
        found[index] = 1;
        return true;
      },
      check: async () => {
        if (missing === 0) return;
        const first = await firstMissing(
          input,
          (key) => !isMarker({ Path: key }) && found[keys.find(key)] === 0,
        );
        throw operationFailed(
          `${formatCount(missing)} of ${formatCount(keys.size)} keys of ${name} are not at ${options.sourceRoot}${first}`,
        );
      },
    },
  });
  return { ...built, markers };
}

/** Where the first missing key stands; nothing for stdin, which cannot be read again. */
async function firstMissing(input: string, isMissing: (key: string) => boolean): Promise<string> {
  if (input === "-") return "";
  let first = "";
  await forEachKey(inputChunks(input), input, (key, line) => {
    if (first === "" && isMissing(key)) first = `, the first: ${input}:${line}: ${key}`;
  });
  return first;
}

async function forEachKey(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  each: (key: string, line: number) => void,
): Promise<void> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  await forEachLine(chunks, ({ bytes, number }) => {
    let key: string;
    try {
      key = decoder.decode(bytes).replace(/\r$/, "");
    } catch (error) {
      throw invalidInput(`${name}:${number}: not UTF-8`, { cause: error });
    }
    if (key !== "") each(key, number);
  });
}
