import { receiveStage } from "../../lib/cluster/stage.ts";
import { command } from "../cli/command.ts";
import { flag } from "../flags/make.ts";

export default command({
  name: "xfer far receive",
  description: "Takes the files of a run directory",
  isInternal: true,
  flags: {
    dir: flag.folder({ group: "what", required: true, description: "the run directory" }),
    binary: flag.file({ group: "what", required: true, description: "the agents' binary" }),
  },
  async run({ dir, binary }) {
    await receiveStage(dir, binary, Bun.stdin.stream());
  },
});
