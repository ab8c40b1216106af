import { flag } from "./make.ts";

/** Of every command that reports. */
export const jsonFlag = flag.on({ group: "output", common: true, description: "print the result as JSON" });
