import { forEachBatch } from "../manifest/read.ts";
import { type BlockInput, openInput, PeekedInput } from "../system/block-input.ts";
import { errnoOf, invalidInput, readError } from "../system/errors.ts";
import { inputName } from "../system/input.ts";
import { JsonObjects } from "../system/json-objects.ts";
import type { LineBlockOptions } from "../system/line-blocks.ts";

/** Bytes at the beginning that tell a manifest from a listing. */
const headBytes = 64 * 1024;
const blockBytes = 512 * 1024;
const byteOrderMark = Buffer.from("\uFEFF");
/** After this many blocks the event loop gets a turn: signals and timers are then served. */
const blocksPerTurn = 16;

/**
 * Calls `each` with the size of every object of a manifest, or of a listing by `rclone lsjson`. The listing may be one JSON
 * array in any layout, or an object a line. Folders are left out. A size that the store does not tell is -1, as rclone lists
 * it. Throws invalid input, naming file and line, for anything else and for a listing that is torn.
 */
export async function forEachSize(
  path: string,
  each: (size: number) => void,
  { onProgress }: Pick<LineBlockOptions, "onProgress"> = {},
): Promise<void> {
  using input = await peeked(path);
  if (isListing(input.head.toString("utf8"))) {
    await forEachListedSize(inputName(path), input, each, onProgress);
    return;
  }
  await forEachBatch(
    path,
    ({ size, count }) => {
      for (let row = 0; row < count; row++) each(size[row] as number);
    },
    { onProgress, input },
  );
}

/** Opens an input and looks at its beginning. Throws invalid input, naming the file, for one that cannot be read. */
async function peeked(path: string): Promise<PeekedInput> {
  try {
    const input = new PeekedInput(openInput(path));
    await input.peek(headBytes);
    return input;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw invalidInput(`${path}: no such file`, { cause: error });
    throw readError(inputName(path), error);
  }
}

/**
 * Whether a text begins as a listing does.
 *
 * | it begins with | it is |
 * |---|---|
 * | `[` | a listing |
 * | a line that is an object with a `schema` | a manifest |
 * | a line that is an object with a size, as rclone or a manifest writes it | a listing |
 * | an object of several lines with a size and no `schema` | a listing |
 * | anything else | a manifest: its reader says what is wrong with it |
 */
export function isListing(head: string): boolean {
  const text = head.trimStart();
  if (text.startsWith("[")) return true;
  if (!text.startsWith("{")) return false;
  try {
    const first: object = JSON.parse(text.split("\n", 1)[0] ?? "");
    return !("schema" in first) && ("Size" in first || "size" in first || "IsDir" in first);
  } catch {
    return /"Size"\s*:/.test(text) && !/"schema"\s*:/.test(text);
  }
}

async function forEachListedSize(
  name: string,
  input: BlockInput,
  each: (size: number) => void,
  onProgress: LineBlockOptions["onProgress"],
): Promise<void> {
  const objects = new JsonObjects(name, (object, line) => {
    const size = listedSize(object, `${name}:${line}`);
    if (size !== undefined) each(size);
  });
  const buffer = Buffer.allocUnsafe(blockBytes);
  const progress = { bytes: 0, bytesTotal: input.bytesTotal };
  for (let blocks = 1; ; blocks++) {
    const filled = input.fill(buffer, 0);
    const got = typeof filled === "number" ? filled : await filled;
    if (got === 0) break;
    const marked = progress.bytes === 0 && buffer.indexOf(byteOrderMark) === 0;
    objects.take(buffer.subarray(marked ? byteOrderMark.length : 0, got));
    progress.bytes += got;
    onProgress?.(progress);
    if (blocks % blocksPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  objects.end();
}

/** The size of a listed object; undefined for a folder. Throws invalid input when it has none. */
function listedSize(object: object, where: string): number | undefined {
  const { Size, size = Size, IsDir, isdir = IsDir }: Record<string, unknown> = { ...object };
  if (isdir === true) return undefined;
  if (typeof size === "number" && Number.isSafeInteger(size) && size >= -1) return size;
  throw invalidInput(
    `${where}: an object without a size: ${JSON.stringify(object).slice(0, 200)}: the input is a manifest, or what ` +
      "rclone lsjson prints",
  );
}
