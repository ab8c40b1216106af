import type { Command, Group } from "./command.ts";
import { commandMeant, flagMeant } from "./did-you-mean.ts";
import { loadTree } from "./load-tree.ts";
import { lastWord } from "./tree.ts";

/** What is said of a word that a group does not have: what it may have meant, or all that the group has. */
export async function unknownWordText(
  root: Group,
  found: { name: string; command: Command | Group },
  words: readonly string[],
): Promise<string> {
  const [first = ""] = words;
  const isFlag = first.startsWith("-");
  // A flag's value may be a credential.
  const word = isFlag ? first.replace(/=.*$/s, "") : first;
  const said = `unknown ${isFlag ? "flag" : "command"} ${JSON.stringify(word)} after "${found.name}"`;
  const tree = await loadTree(root);
  const own = await loadTree(found.command);
  const end = words.findIndex((one) => one.startsWith("-"));
  const plain = end < 0 ? words : words.slice(0, end);
  const path = found.name.split(" ").slice(1);
  const command = isFlag ? undefined : commandMeant(tree, [...path, ...plain]);
  const hint = isFlag ? flagMeant(tree, own, word) : command && `did you mean ${command}?`;
  return `${said}: ${hint ?? `it has ${own.children.map(lastWord).join(", ")}`}`;
}

/** What is said of a flag that a command does not have. */
export async function unknownFlagText(
  root: Group,
  command: Command | Group,
  flag: string,
  words: readonly string[],
): Promise<string> {
  const tree = await loadTree(root);
  const own = await loadTree(command);
  // Of "-source" the parser says -s.
  const whole = words.find((word) => /^-[^-]{2}/.test(word) && word.startsWith(flag));
  const meant = (whole && flagMeant(tree, own, whole)) ?? flagMeant(tree, own, flag);
  return meant === undefined ? `unknown flag ${flag}` : `unknown flag ${whole ?? flag}: ${meant}`;
}
