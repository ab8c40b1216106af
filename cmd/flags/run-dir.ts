import { flag } from "./make.ts";

/** The run directory, for commands that work on one that is there. */
export const runDirFlag = flag.folder({
  required: true,
  group: "what",
  common: true,
  description: "the run directory",
});

/** The run directory of xfer run where none is named. */
export const defaultRunDir = "run";
