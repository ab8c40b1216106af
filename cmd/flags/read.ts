import * as v from "valibot";
import { invalidInput } from "../../lib/system/errors.ts";
import type { Flags, OptionsOf } from "./flag.ts";

/**
 * Makes a command's options of its arguments, which still are as the user wrote them. Throws invalid input that names the
 * first flag that is wrong, and says what is allowed.
 */
export function readFlags<F extends Flags>(flags: F, args: unknown): OptionsOf<F> {
  const entries = Object.entries(flags).map(([name, { schema }]) => [name, schema] as const);
  const result = v.safeParse(v.object(Object.fromEntries(entries)), args);
  if (result.success) return result.output as OptionsOf<F>;
  const issue = result.issues[0];
  const name = v.getDotPath(issue) ?? "";
  // A text that is read as something else is no longer what the user gave.
  const given = Object(args)[name] as unknown;
  if (given === undefined) throw invalidInput(`--${name} is missing`);
  throw invalidInput(`--${name}: ${problemOf(issue, name, given)}`);
}

/** Problems that a rule has put into words of its own: they name the value already, or hide what may be a credential. */
const inOwnWords = new Set(["raw_check", "raw_transform"]);

function problemOf(issue: v.BaseIssue<unknown>, name: string, given: unknown): string {
  if (!inOwnWords.has(issue.type)) return `${issue.message}, not ${JSON.stringify(given)}`;
  // A reader of the library's names its flag itself.
  return issue.message.replace(new RegExp(`^(?:--${name})?: `), "");
}
