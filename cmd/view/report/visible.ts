/**
 * What would not be seen, or would change how the text around it is seen: control characters, directions of writing, marks
 * of no width, line and paragraph separators, halves of surrogate pairs.
 */
const unseen =
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text of others as it can be shown on one line: what would not be seen is written as \uXXXX. */
export function visibleText(text: string): string {
  return text.replace(unseen, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Where a report is written to, piece by piece. Resolves when the piece is taken. */
export type Write = (text: string) => Promise<void>;
