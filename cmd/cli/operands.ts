import type { Flags } from "../flags/flag.ts";
import type { Operands } from "./command.ts";
import { flagSpelled } from "./flag-rows.ts";
import { UsageError } from "./usage-error.ts";

/**
 * A command's words beside its flags, and the rest. All words after `--` are of the first kind. Throws a usage error when
 * there are more than it takes.
 */
export function splitOperands(
  operands: Operands | undefined,
  flags: Flags,
  words: readonly string[],
): { operands: string[]; rest: string[] } {
  if (!operands) return { operands: [], rest: [...words] };
  const own: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      own.push(...words.slice(i + 1));
      break;
    }
    if (word === "-" || !word.startsWith("-")) own.push(word);
    else {
      rest.push(word);
      const value = words[i + 1];
      if (flagSpelled(flags, word)?.type === "string" && value !== undefined) {
        rest.push(value);
        i++;
      }
    }
  }
  const extra = own[operands.most];
  if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`);
  return { operands: own, rest };
}
