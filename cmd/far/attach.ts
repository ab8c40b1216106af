import { followSession, openSession } from "../../lib/cluster/session.ts";
import { stopSignals, watchForStop } from "../../lib/system/interrupt.ts";
import { command } from "../cli/command.ts";
import { readRequest } from "./request.ts";

const written = (stream: NodeJS.WriteStream, bytes: Uint8Array) =>
  new Promise<void>((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });

export default command({
  name: "xfer far attach",
  description: "Runs the words of a request as a session that outlives the connection, and shows it",
  isInternal: true,
  flags: {},
  async run() {
    const { request } = await readRequest();
    const dir = openSession({ ...request, now: new Date() });
    const sinks = {
      stdout: (bytes: Uint8Array) => written(process.stdout, bytes),
      stderr: (bytes: Uint8Array) => written(process.stderr, bytes),
    };
    return await followSession(dir, sinks, watchForStop(stopSignals).signal);
  },
});
