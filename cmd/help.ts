import { command } from "./cli/command.ts";
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
    const { findCommand } = await import("./cli/find-command.ts");
    const { helpFor } = await import("./cli/show-help.ts");
    const found = await findCommand(root, operands);
    if (found.problem?.kind === "unknown" || found.rest.length > 0) {
      throw new UsageError(`there is no command ${JSON.stringify(operands.join(" "))}`, "xfer");
    }
    await printText(await helpFor(found.command, { all, color, stream: process.stdout }));
  },
});
