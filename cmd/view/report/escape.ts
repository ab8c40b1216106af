import { visibleText } from "./visible.ts";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text of others, for a page's text and for attributes in quotes; what would not be seen is written as \uXXXX. */
export function escapeHtml(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, (char) => entities[char] ?? "");
}

/** A name of others, which keeps its own direction of writing. */
export const nameHtml = (text: string): string => `<bdi>${escapeHtml(text)}</bdi>`;

/** A value as JSON that can stand in a script element: nothing in it ends the element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The source of a script or a style as an element's content. Throws for one that would end the element. */
export function elementText(text: string): string {
  if (/<\/(?:script|style)|<!--/i.test(text)) throw new Error("a part of the page would end its own element");
  return text;
}
