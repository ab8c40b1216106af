import { flag } from "./make.ts";

const colors = ["auto", "always", "never"] as const;

/** Flags of every command. Their effect is the command line's own, before the command runs. */
export const globalFlags = {
  quiet: flag.on({ alias: "q", group: "output", description: "show errors and warnings alone on stderr" }),
  verbose: flag.on({
    alias: "v",
    group: "output",
    description:
      "tell the programs that are started, and rclone's messages of a listing; -vv its debugging too",
  }),
  color: flag.oneOf(colors, { default: "auto", group: "output", description: "when output is in color" }),
};
