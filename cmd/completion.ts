import bash from "../templates/completion/xfer.bash" with { type: "text" };
import fish from "../templates/completion/xfer.fish" with { type: "text" };
import zsh from "../templates/completion/xfer.zsh" with { type: "text" };
import { command } from "./cli/command.ts";
import { UsageError } from "./cli/usage-error.ts";
import { printText } from "./view/print.ts";

/** What each shell runs to complete a line of xfer. */
const scripts: ReadonlyMap<string, string> = new Map([
  ["bash", bash],
  ["zsh", zsh],
  ["fish", fish],
]);
const shells = [...scripts.keys()];

export default command({
  name: "xfer completion",
  description: "Prints what makes a shell complete xfer's command lines",
  details: [
    "The shell then asks this xfer for commands, flags and values, so that it always offers what the xfer on PATH has.",
  ],
  examples: [
    { says: "In ~/.bashrc", line: "source <(xfer completion bash)" },
    { says: "In ~/.zshrc, after compinit", line: "source <(xfer completion zsh)" },
    { says: "In ~/.config/fish/config.fish", line: "xfer completion fish | source" },
  ],
  operands: { usage: shells.join("|"), values: shells, most: 1 },
  flags: {},
  async run(_options, { operands: [shell] }) {
    const script = shell === undefined ? undefined : scripts.get(shell);
    if (script === undefined) {
      const what = shell === undefined ? "a shell is missing" : `unknown shell ${JSON.stringify(shell)}`;
      throw new UsageError(`${what}: one of ${shells.join(", ")}`);
    }
    await printText(script);
  },
});
