import * as v from "valibot";
import { readState, type StateFile, writeState } from "./state-file.ts";

/** The schema of state/control. */
export const controlSchema = v.object({
  schema: v.literal("xfer.control.v1"),
  /** Whether tasks are to copy, or to stop with their proofs kept and to stay stopped. */
  wanted: v.picklist(["run", "pause"]),
  at: v.string(),
  /** user@host. */
  by: v.string(),
});

/** What the operator wants of a run: state/control. */
export type ControlState = v.InferOutput<typeof controlSchema>;

/** Reads state/control. A run without one is to run. */
export const readControl = (path: string): StateFile<ControlState> => readState(path, controlSchema);

/** Writes state/control durably; the operator's commands alone do. */
export const writeControl = (path: string, control: ControlState): void => writeState(path, control);
