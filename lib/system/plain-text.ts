/** A text of a file that others may have written, as a terminal may show it: each control character is a question mark. */
export const plainText = (text: string): string => text.replace(/\p{Cc}/gu, "?");
