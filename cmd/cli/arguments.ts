import { parseArgs } from "node:util";
import type { ArgsDef } from "citty";
import { UsageError } from "./usage-error.ts";

/** Flags that are another way to write a flag with a value. */
const shorthands: Readonly<Record<string, readonly [string, string]>> = { "no-modtime": ["modtime", "none"] };

/** Flags whose value may look like any flag, since it is made of another program's flags. */
const passThrough = new Set([
  "--rclone-flags",
  "--add-rclone-flags",
  "--extra-lsjson-flags",
  "--sbatch-extras",
  "--pyxis-extra",
  "--base-flags",
]);

/** Whether a word is the value of such a flag, by the word before it. */
export const isValueOf = (before: string | undefined): boolean =>
  before !== undefined && passThrough.has(before);

/**
 * Checks a command's words against its declared flags and gives them back as `--flag=value`, `--flag` and `--no-flag`.
 * Throws a usage error for anything that is not declared.
 */
export function canonicalArguments(args: ArgsDef, words: readonly string[]): string[] {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [name, def] of Object.entries(args)) {
    const short =
      typeof def === "object" && "alias" in def && typeof def.alias === "string" ? def.alias : undefined;
    const type = def.type === "boolean" ? "boolean" : "string";
    options[name] = short === undefined ? { type } : { type, short };
  }
  const { tokens } = parseArgs({
    args: joinValues(words, options),
    options: {
      ...options,
      ...Object.fromEntries(Object.keys(shorthands).map((name) => [name, { type: "boolean" }])),
    },
    allowNegative: true,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const canonical: string[] = [];
  const seen = new Map<string, number>();
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional")
      throw new UsageError(`unexpected argument ${JSON.stringify(token.value)}`);
    const word = token.rawName.slice(2);
    const shorthand = Object.hasOwn(shorthands, word) ? shorthands[word] : undefined;
    const negated = !shorthand && word.startsWith("no-") && !Object.hasOwn(options, word);
    const name = shorthand?.[0] ?? (negated ? word.slice(3) : token.name);
    const value = shorthand?.[1] ?? token.value;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (!option || (negated && option.type === "string"))
      throw new UsageError(`unknown flag ${token.rawName}`);
    if (option.type === "boolean" && value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value`);
    }
    if (option.type === "string" && value === undefined)
      throw new UsageError(`${token.rawName} needs a value`);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    canonical.push(option.type === "string" ? `--${name}=${value}` : `--${negated ? "no-" : ""}${name}`);
  }
  if ((seen.get("verbose") ?? 0) > 1) canonical.push("--very-verbose");
  for (const [name, def] of Object.entries(args)) {
    if (def.type !== "boolean" && def.required && !seen.has(name))
      throw new UsageError(`--${name} is missing`);
  }
  return canonical;
}

/** Joins `--flag value` to `--flag=value` where the flag takes one, so that a value may begin with a dash. */
function joinValues(words: readonly string[], options: Record<string, { type: string }>): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const next = words[i + 1];
    const name = word.slice(2);
    const takesValue =
      word.startsWith("--") && Object.hasOwn(options, name) && options[name]?.type === "string";
    if (word === "--") return [...joined, ...words.slice(i)];
    if (!takesValue) joined.push(word);
    else if (next === undefined || (!passThrough.has(word) && isOwnFlag(next, options))) {
      throw new UsageError(`${word} needs a value`);
    } else {
      joined.push(`${word}=${next}`);
      i++;
    }
  }
  return joined;
}

function isOwnFlag(word: string, options: Record<string, unknown>): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  return name !== undefined && Object.hasOwn(options, name);
}
