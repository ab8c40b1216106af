import * as v from "valibot";
import { sendFiles } from "../../lib/cluster/file-stream.ts";
import { pullRequestSchema } from "../../lib/cluster/pull.ts";
import { travels } from "../../lib/run/travels.ts";
import { command } from "../cli/command.ts";
import { print } from "../view/print.ts";

export default command({
  name: "xfer far send",
  description: "Sends files of a run directory",
  isInternal: true,
  flags: {},
  async run() {
    const { dir, wanted } = v.parse(pullRequestSchema, JSON.parse(await Bun.stdin.text()));
    const allowed = wanted.filter(({ path }) => travels(path, "pull"));
    for await (const chunk of sendFiles(dir, allowed)) await print(chunk);
  },
});
