const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * What a terminal or a page would take for a command or would not show: control characters, directions of writing, marks of
 * no width, line and paragraph separators, halves of surrogate pairs.
 */
export const unseen =
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text as one line that a terminal shows as it is: what it would not show is escaped (`\n`, `\x1b`, `\u202e`). */
export function visibleText(text: string): string {
  return text.replace(unseen, (char) => {
    const code = char.charCodeAt(0);
    const hex = code.toString(16);
    return names[char] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`);
  });
}
