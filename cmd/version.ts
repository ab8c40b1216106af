import { version } from "../package.json" with { type: "json" };
import { command } from "./cli/command.ts";
import { jsonFlag } from "./flags/output.ts";
import { printJson, printText } from "./view/print.ts";

/** Put in by the build, where it knows. */
declare const XFER_COMMIT: string | undefined;
/** The machine that the binary was built for, such as linux-x64; put in by the build. */
declare const XFER_TARGET: string | undefined;
/** The schemas that the build found in the code. */
declare const XFER_SCHEMAS: { reads: string[]; writes: string[] } | undefined;

export default command({
  name: "xfer version",
  description: "Prints the version, and what it was built from and for",
  details: [
    "--json also lists the schemas of files that it reads and writes: two versions of xfer understand each other's files " +
      "where both know their schema.",
  ],
  examples: [{ says: "For a script", line: "xfer version --json" }],
  flags: { json: jsonFlag },
  async run({ json }) {
    const commit = typeof XFER_COMMIT === "string" && XFER_COMMIT !== "" ? XFER_COMMIT : null;
    const target = typeof XFER_TARGET === "string" ? XFER_TARGET : null;
    const schemas = typeof XFER_SCHEMAS === "object" ? XFER_SCHEMAS : null;
    const { platform, arch } = process;
    const about = { version, commit, target, bun: Bun.version, platform, arch, schemas };
    if (json) return printJson({ schema: "xfer.version.v1", ...about });
    const built = commit === null ? "" : `, commit ${commit}`;
    await printText(`xfer ${version} (${target ?? `${platform}-${arch}`}, bun ${Bun.version}${built})\n`);
  },
});
