import { command } from "./cli/command.ts";
import { noCommandText } from "./cli/did-you-mean.ts";
import { findCommand } from "./cli/find-command.ts";
import { loadTree } from "./cli/load-tree.ts";
import { helpFor } from "./cli/show-help.ts";
import { UsageError } from "./cli/usage-error.ts";
import { flag } from "./flags/make.ts";
import { printText } from "./view/print.ts";

export default command({
  name: "xfer help",
  description: "Prints the help of xfer or of a command",
  examples: [
    { says: "The help of a command", line: "xfer help manifest build" },
    { says: "All its flags", line: "xfer help manifest build --all" },
  ],
  operands: { usage: "[COMMAND...]", most: Number.POSITIVE_INFINITY },
  flags: {
    all: flag.on({ group: "output", common: true, description: "all flags, and more about them" }),
  },
  async run({ all }, { operands, root, color }) {
    const found = await findCommand(root, operands);
    if (found.problem?.kind === "unknown" || found.rest.length > 0) {
      throw new UsageError(noCommandText(await loadTree(root), operands), "xfer");
    }
    await printText(await helpFor(found.command, { all, color, stream: process.stdout }));
  },
});
