import type { Command, Group } from "./command.ts";
import { commandMeant, flagMeant } from "./did-you-mean.ts";
import { loadTree } from "./load-tree.ts";

/** What is said of a word that a group does not have: what it may have meant, or all that the group has. */
export async function unknownWordText(
  root: Group,
  found: { name: string; command: Command | Group },
  words: readonly string[],
): Promise<string> {
  const [word = ""] = words;
  const isFlag = word.startsWith("-");
  const said = `unknown ${isFlag ? "flag" : "command"} ${JSON.stringify(word)} after "${found.name}"`;
  const tree = await loadTree(root);
  const own = await loadTree(found.command);
  const names = own.children.map(({ spec }) => spec.name.split(" ").at(-1));
  const path = found.name.split(" ").slice(1);
  const plain = words.slice(0, words.findIndex((one) => one.startsWith("-")) >>> 0);
  const meant = isFlag ? flagMeant(tree, own, word) : commandMeant(tree, [...path, ...plain]);
  if (meant === undefined) return `${said}: it has ${names.join(", ")}`;
  return `${said}: ${isFlag ? meant : `did you mean ${meant}?`}`;
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
