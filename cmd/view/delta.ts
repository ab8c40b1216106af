import { type Delta, deltaText } from "../../lib/compare/delta.ts";

/** What a delta found, in one line. */
export function deltaLine(out: string, delta: Delta): string {
  return `${out}: ${deltaText(delta)}\n`;
}

/** A delta as it is printed; its objects, as its bytes, are those to copy. */
export function deltaJson(delta: Delta) {
  return { ...delta, objects: delta.new + delta.changed };
}
