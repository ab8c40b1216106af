import { homedir } from "node:os";
import { join } from "node:path";
import { skills } from "../../lib/skills/embedded.ts";
import { installSkills } from "../../lib/skills/install.ts";
import { log } from "../../lib/system/log.ts";
import { requireFolder } from "../../lib/system/writable.ts";
import { version } from "../../package.json" with { type: "json" };
import { command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import { flag } from "../flags/make.ts";
import { jsonFlag } from "../flags/output.ts";
import { printJson, printText } from "../view/print.ts";
import { installedJson, installedText, keptText } from "../view/skills.ts";

/** The folder of skills below a project's folder, or below the user's home. */
const below = join(".claude", "skills");

/** Where the skills go. Throws a usage error when that is said twice. */
export function folderOf(dir: string | undefined, { user, home }: { user: boolean; home: string }): string {
  if (dir === "") throw new UsageError("DIR must not be empty");
  if (!user) return dir ?? below;
  if (dir !== undefined) throw new UsageError("--user names the folder: leave DIR out");
  return join(home, below);
}

export default command({
  name: "xfer skills install",
  description: "Writes the skills to where Claude Code finds them",
  details: [
    "DIR is .claude/skills in the current folder unless it is given. Each skill is a folder in it, with one file, SKILL.md.",
    "The same command again, of a later xfer too, brings the files up to date. A file that somebody has changed is kept, " +
      "and named, unless --force is given.",
  ],
  examples: [
    { says: "For this project", line: "xfer skills install" },
    { says: "For all of your projects", line: "xfer skills install --user" },
    { says: "Into another folder, over what was changed there", line: "xfer skills install --force skills" },
  ],
  operands: { usage: "[DIR]", completes: "folder", most: 1 },
  flags: {
    user: flag.on({ ...{ group: "what", common: true }, description: "write to ~/.claude/skills" }),
    force: flag.on({ ...{ group: "what", common: true }, description: "replace what somebody has changed" }),
    json: jsonFlag,
  },
  async run({ user, force, json }, { operands: [dir] }) {
    const folder = folderOf(dir, { user, home: homedir() });
    requireFolder(user ? "--user" : "DIR", folder);
    const installed = installSkills({ skills, folder, version, force });
    if (json) await printJson(installedJson(folder, installed));
    else await printText(installedText(folder, installed));
    const kept = keptText(installed);
    if (kept !== undefined) log.warn(kept);
  },
});
