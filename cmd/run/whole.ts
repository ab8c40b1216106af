import { readUntransferable } from "../../lib/manifest/untransferable.ts";
import type { RunOptions } from "./options.ts";

/** Whether nothing of the source is untransferable, or that is allowed. */
export async function isWhole({ allowsUntransferable, manifest }: RunOptions): Promise<boolean> {
  return allowsUntransferable || (await readUntransferable(manifest)).objects === 0;
}
