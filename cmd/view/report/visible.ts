import { unseen } from "../../../lib/system/visible-text.ts";

/** A text of others as it can be shown on one line: what would not be seen is written as \uXXXX, which JSON reads. */
export function visibleText(text: string): string {
  return text.replace(unseen, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Where a report is written to, piece by piece. Resolves when the piece is taken. */
export type Write = (text: string) => Promise<void>;
