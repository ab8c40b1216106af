import { command } from "./cli/command.ts";
import { complete, completionLines, joinBashWords, withoutStart } from "./cli/complete.ts";
import { loadTree } from "./cli/load-tree.ts";
import { printText } from "./view/print.ts";

/** What the scripts of `xfer completion` call at each press of the key. */
export default command({
  name: "xfer complete",
  description: "Prints what may stand at the cursor of a command line",
  isInternal: true,
  operands: { usage: "SHELL -- WORDS", most: Number.POSITIVE_INFINITY },
  flags: {},
  async run(_options, { operands: [shell = "", ...words], root }) {
    const line = shell === "bash" ? joinBashWords(words) : { words, typed: "" };
    // zsh's script takes off what stands before a value itself.
    const typed = shell === "zsh" ? (/^--[^=]+=/.exec(line.words.at(-1) ?? "")?.[0] ?? "") : line.typed;
    await printText(completionLines(withoutStart(typed, complete(await loadTree(root), line.words))));
  },
});
