import * as v from "valibot";

/** The schema of what a command prints with --json. */
export function output<const N extends string, E extends v.ObjectEntries>(name: N, entries: E) {
  return v.object({ schema: v.literal(name), ...entries });
}

/** Holds a schema to the type of what is printed: a field of it that the schema lacks does not compile. */
export const of =
  <T>() =>
  <S extends v.GenericSchema<unknown, T>>(schema: S): S =>
    schema;
