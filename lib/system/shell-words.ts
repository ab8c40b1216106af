import { quote, split } from "shlex";
import { invalidInput } from "./errors.ts";

/**
 * Splits the text of a flag such as --rclone-flags into words by the quoting rules of a POSIX shell;
 * nothing is expanded. `flag` names it in the error for a quote that is not closed.
 */
export function splitWords(text: string, flag: string): string[] {
  try {
    return split(text);
  } catch {
    // What stands in it may be a credential.
    throw invalidInput(`${flag}: a quote is not closed`);
  }
}

/** A word that a shell would read back as the same word. */
export function quoteWord(word: string): string {
  return quote(word);
}

/** An argument vector as a line that a shell would read back as the same vector. */
export function quoteWords(argv: readonly string[]): string {
  return argv.map(quoteWord).join(" ");
}
