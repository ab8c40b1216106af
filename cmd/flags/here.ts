import { availableParallelism } from "node:os";
import { isCompiled } from "../../lib/system/process.ts";

/** What options are made of beside the flags. */
export interface Here {
  readonly cpus: number;
  /** This program, where it is one file; undefined when it runs from its sources. */
  readonly binary: string | undefined;
  readonly now: Date;
}

export function here(): Here {
  return {
    cpus: availableParallelism(),
    binary: isCompiled() ? process.execPath : undefined,
    now: new Date(),
  };
}
