import { version } from "../package.json" with { type: "json" };
import { command } from "./cli/command.ts";
import { jsonFlag } from "./flags/output.ts";
import { printJson, printText } from "./view/print.ts";

/** Put in by the build, where it knows. */
declare const XFER_COMMIT: string | undefined;

export default command({
  name: "xfer version",
  description: "Prints the version, and what it was built from and for",
  examples: [{ says: "For a script", line: "xfer version --json" }],
  flags: { json: jsonFlag },
  async run({ json }) {
    const commit = typeof XFER_COMMIT === "string" && XFER_COMMIT !== "" ? XFER_COMMIT : null;
    const { platform, arch } = process;
    if (json) {
      return printJson({ schema: "xfer.version.v1", version, commit, bun: Bun.version, platform, arch });
    }
    const built = commit === null ? "" : `, commit ${commit}`;
    await printText(`xfer ${version} (${platform} ${arch}, bun ${Bun.version}${built})\n`);
  },
});
