import { forgetSession } from "../../lib/cluster/session.ts";
import { command } from "../cli/command.ts";
import { readRequest } from "./request.ts";

export default command({
  name: "xfer far forget",
  description: "Removes the session of a request, whose end was seen",
  isInternal: true,
  flags: {},
  async run() {
    forgetSession((await readRequest()).dir);
  },
});
