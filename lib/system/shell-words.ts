import { quote, split } from "shlex";
import { invalidInput } from "./errors.ts";

/**
 * Splits the text of a flag such as --rclone-flags into words by the quoting rules of a POSIX shell. Nothing is expanded.
 * `flag` names the flag in the error for a quote that is not closed.
 */
export function splitWords(text: string, flag: string): string[] {
  try {
    return split(text);
  } catch {
    // The text may hold a credential: neither it nor the parser's error is shown.
    throw invalidInput(`${flag}: a quote is not closed`);
  }
}

/** A word that a shell would read back as the same word. */
export function quoteWord(word: string): string {
  return quote(word);
}

/** An argument vector as a line that a shell would read back as the same arguments. */
export function quoteWords(argv: readonly string[]): string {
  return argv.map(quoteWord).join(" ");
}
