import { existsSync } from "node:fs";
import { filesThatTravel } from "../../lib/cluster/inventory.ts";
import { invalidInput } from "../../lib/system/errors.ts";
import { command } from "../cli/command.ts";
import { flag } from "../flags/make.ts";
import { printJson } from "../view/print.ts";

export default command({
  name: "xfer far list",
  description: "Lists the files of a run directory that can be pulled",
  isInternal: true,
  flags: { dir: flag.folder({ group: "what", required: true, description: "the run directory" }) },
  async run({ dir }) {
    if (!existsSync(dir)) throw invalidInput(`${dir}: no such run directory`);
    await printJson(filesThatTravel(dir, "pull"));
  },
});
