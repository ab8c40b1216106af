import { keyText } from "./batch.ts";
import { KeyTable } from "./key-table.ts";
import { forEachBatch } from "./read.ts";

/** The keys that a manifest holds more than once. */
export async function findDuplicateKeys(path: string): Promise<Set<string>> {
  const keys = new KeyTable();
  const twice = new Set<string>();
  await forEachBatch(path, (batch) => {
    for (let row = 0; row < batch.count; row++) {
      const key = keyText(batch, row);
      if (keys.add(key) < 0) twice.add(key);
    }
  });
  return twice;
}
