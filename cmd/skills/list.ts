import { skills } from "../../lib/skills/embedded.ts";
import { command } from "../cli/command.ts";
import { jsonFlag } from "../flags/output.ts";
import { printJson, printText } from "../view/print.ts";
import { listedJson, listedText } from "../view/skills.ts";

export default command({
  name: "xfer skills list",
  description: "Lists the skills that this xfer holds, and what each is for",
  examples: [{ says: "For a script", line: "xfer skills list --json" }],
  flags: { json: jsonFlag },
  async run({ json }) {
    if (json) await printJson(listedJson(skills));
    else await printText(listedText(skills, process.stdout.columns || undefined));
  },
});
