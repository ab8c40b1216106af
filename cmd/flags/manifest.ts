import { flag } from "./make.ts";

/** Flags that name a manifest, and what it is made of. */

/** The roots of a manifest, for commands that cannot do without. */
export const rootFlags = {
  source: flag.text({
    required: true,
    valueHint: "ROOT",
    group: "what",
    common: true,
    description: "what to copy: a path, or remote:path",
  }),
  dest: flag.text({
    required: true,
    valueHint: "ROOT",
    group: "what",
    common: true,
    description: "where to: a path, or remote:path",
  }),
};

/** What the commands that suggest and estimate read. */
export const inputFlag = flag.file({
  required: true,
  group: "what",
  common: true,
  description: "a manifest, or what rclone lsjson prints; - for standard input",
});

/** The manifest that is written. */
export const outFlag = flag.file({
  required: true,
  group: "what",
  common: true,
  description: "the manifest to write",
});

export const runIdFlag = flag.parsed(
  (given) => (/^[\w.-]{1,100}$/.test(given) ? given : undefined),
  "must be 1 to 100 letters, digits, _ . and -",
  {
    valueHint: "ID",
    group: "what",
    defaultText: "time and random digits",
    description: "the run's id",
  },
);
