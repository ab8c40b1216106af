import { stopSession } from "../../lib/cluster/session.ts";
import { operationFailed } from "../../lib/system/errors.ts";
import { command } from "../cli/command.ts";
import { readRequest } from "./request.ts";

export default command({
  name: "xfer far stop",
  description: "Asks the session of a request to stop",
  isInternal: true,
  flags: {},
  async run() {
    const { dir } = await readRequest();
    const stopped = stopSession(dir, "SIGINT");
    if (stopped && !stopped.sent) {
      throw operationFailed(`the command runs on ${stopped.host}, and cannot be stopped from this host`);
    }
  },
});
