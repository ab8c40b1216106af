import type { ArgDef } from "citty";
import type { GenericSchema, InferOutput } from "valibot";

/** The groups of a command's help, in this order. */
export const flagGroups = {
  what: "What and where",
  listing: "Listing",
  sharding: "Sharding",
  rclone: "rclone",
  slurm: "Slurm",
  output: "Output",
} as const;

export type FlagGroup = keyof typeof flagGroups;

/** One declaration of a flag: parsing, validation, help, completion, man page and reference are made from it. */
export type Flag<S extends GenericSchema = GenericSchema> = ArgDef & {
  readonly type: "string" | "boolean";
  /** What it does, in a few words without a full stop; the default is shown by the help, and is not in it. */
  readonly description: string;
  readonly group: FlagGroup;
  /** Shown by --help; all others by --help-all alone. */
  readonly common: boolean;
  /** Other long names of the same flag, which older command lines use. */
  readonly otherNames?: readonly string[];
  /** What the default is when it is no fixed value: "100, or half of a short limit". */
  readonly defaultText?: string;
  /** All values it may have, for help and completion. */
  readonly values?: readonly string[];
  /** What completion offers for its value, where that is no list. */
  readonly completes?: "file" | "folder";
  /** What completion offers where it is known only when it is asked for. */
  readonly offers?: () => readonly string[];
  /** Whether it may be given several times, all of which count; of any other flag the last one does. */
  readonly isList?: boolean;
  /** Makes the value that the command gets of what was given; its messages say what is allowed. */
  readonly schema: S;
};

/** Stands between the values of a flag that was given several times: no argument can hold it. */
export const listSeparator = "\0";

export type Flags = Readonly<Record<string, Flag>>;

/** What a command gets of its flags, by their names. */
export type OptionsOf<F extends Flags> = { [K in keyof F]: InferOutput<F[K]["schema"]> };
