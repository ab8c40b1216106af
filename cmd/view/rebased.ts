import { formatObjects } from "../../lib/system/units.ts";

/** What a manifest with other roots holds, in one line. */
export function rebasedText(out: string, objects: number): string {
  return `${out}: ${formatObjects(objects)}\n`;
}

/** What a manifest with other roots holds, schema xfer.rebase.v1. */
export function rebasedJson(out: string, objects: number) {
  return { schema: "xfer.rebase.v1", manifest: out, objects } as const;
}
