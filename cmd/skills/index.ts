import { group } from "../cli/command.ts";

export default group(
  {
    name: "xfer skills",
    description: "Skills with which Claude Code drives xfer",
    details: [
      "A skill is a page that Claude Code reads when a task needs it: here one for each stage of a transfer.",
    ],
    examples: [
      { says: "For this project", line: "xfer skills install" },
      { says: "See what there is", line: "xfer skills list" },
    ],
  },
  {
    install: () => import("./install.ts"),
    list: () => import("./list.ts"),
  },
);
