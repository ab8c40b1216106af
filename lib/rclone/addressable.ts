import type { RootKind } from "./remote.ts";

/** What decides which keys rclone carries as they are. */
export interface AddressFacts {
  source: RootKind;
  dest: RootKind;
  /** rclone's version, when it is known: [1, 60]; undefined counts as every version that was measured. */
  version: readonly [number, number] | undefined;
}

/** All that any rule below could refuse; nearly every key is seen at one look to have none of it. */
const suspicious = /^$|^\/|\/$|\/\/|(?:^|\/)[.\uff0e]{1,2}(?:\/|$)|[\n\r\0\ufffd]/;

/** Why rclone cannot carry a listed key as it is between two kinds of place, or undefined when it can. */
export function untransferableReason(key: string, facts: AddressFacts): string | undefined {
  if (!suspicious.test(key)) return undefined;
  if (key === "") return "is empty";
  if (key.startsWith("/")) return "begins with a slash";
  if (key.endsWith("/")) return "ends in a slash";
  if (key.includes("//")) return "has an empty component";
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(key)) return "has a component '.' or '..'";
  if (/(?:^|\/)\uff0e{1,2}(?:\/|$)/.test(key)) {
    return "has a component '．' or '．．', which is how rclone lists '.' and '..' too";
  }
  if (/[\n\r\0]/.test(key)) return "has a line break or a NUL";
  if (facts.source === "s3") return undefined;
  return "has U+FFFD, which is how rclone lists bytes that are no UTF-8 too";
}
