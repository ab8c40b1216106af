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

/** A list of keys to import, and how the source is listed. */
export interface KeysOptions extends Omit<BuildOptions, "choice"> {
  /** A file with one key a line, as rclone shows keys; "-" for stdin. */
  input: string;
}

/**
 * Makes a manifest of the objects whose keys are in a list. A list of keys tells no sizes, so that all objects below the root
 * are listed once, by LIST requests alone. The manifest has the order of the listing. Directory markers are left out, whether
 * they exist or not, since most are in no listing. Throws operation failed, and leaves no manifest, when a key is not at the
 * source.
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

/** The line of the first missing key, as the end of a message. It is empty for stdin, which cannot be read again. */
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
