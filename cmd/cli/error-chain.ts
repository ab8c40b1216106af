import { hasUrlSecret } from "../../lib/rclone/secrets.ts";
import { messageOf } from "../../lib/system/errors.ts";

/** Causes of causes that are shown. */
const depthMax = 10;

/**
 * An error and its causes, outermost first: message and stack of each. A line that holds a URL with a credential is left
 * out. Empty for what was thrown and is no error.
 */
export function errorChain(error: unknown): string[] {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one) && texts.length < depthMax; one = one.cause) {
    seen.add(one);
    const text = withoutSecrets(stackOf(one));
    texts.push(texts.length === 0 ? text : `caused by: ${text}`);
    if (one.cause !== undefined && !(one.cause instanceof Error))
      texts.push(withoutSecrets(`caused by: ${messageOf(one.cause)}`));
  }
  return texts;
}

/** The stack of an error, which begins with its name and message in this runtime; where there is none, these two. */
function stackOf(error: Error): string {
  return error.stack || `${error.name}: ${messageOf(error)}`;
}

function withoutSecrets(text: string): string {
  return text
    .split("\n")
    .map((line) => (hasUrlSecret(line) ? "(a line with a credential is left out)" : line))
    .join("\n");
}
