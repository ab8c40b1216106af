import * as v from "valibot";
import { planStage, stageRequestSchema } from "../../lib/cluster/stage.ts";
import { command } from "../cli/command.ts";
import { printJson } from "../view/print.ts";

export default command({
  name: "xfer far plan",
  description: "Tells which files of a run directory are wanted",
  isInternal: true,
  flags: {},
  async run() {
    await printJson(await planStage(v.parse(stageRequestSchema, JSON.parse(await Bun.stdin.text()))));
  },
});
