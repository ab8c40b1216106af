import { flag } from "./make.ts";

/** Flags that name a manifest, and what it is made of. */

const source = {
  valueHint: "ROOT",
  group: "what",
  common: true,
  description: "what to copy: a path, or remote:path",
} as const;

const dest = { ...source, description: "where to: a path, or remote:path" } as const;

/** The roots of a manifest, which a run directory may have already. */
export const rootFlags = { source: flag.text(source), dest: flag.text(dest) };

/** The roots of a manifest that is made. */
export const requiredRootFlags = {
  source: flag.text({ ...source, required: true }),
  dest: flag.text({ ...dest, required: true }),
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
