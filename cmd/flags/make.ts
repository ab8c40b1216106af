import * as v from "valibot";
import { XferError } from "../../lib/system/errors.ts";
import { splitWords } from "../../lib/system/shell-words.ts";
import { type Flag, listSeparator } from "./flag.ts";

/** What is said of any flag, beside what its kind says. */
type About = Pick<Flag, "description" | "group" | "otherNames" | "defaultText" | "completes" | "offers"> & {
  readonly common?: boolean;
  readonly alias?: string;
};

/** What is said of a flag that takes a value. Without `required` and `default` it may be left out. */
type AboutValue = About & {
  readonly valueHint?: string;
  readonly required?: true;
  readonly default?: string | number;
};

/** A flag whose value is a T; undefined is among them only where the flag may be left out. */
type ValueFlag<O extends AboutValue, T> = Flag<
  v.GenericSchema<unknown, O extends { required: true } | { default: string | number } ? T : T | undefined>
>;

type TextSchema<T> = v.GenericSchema<string, T>;

function valueFlag<T, O extends AboutValue>(schema: TextSchema<T>, valueHint: string, about: O) {
  const { default: fixed, ...rest } = about;
  const isThere = about.required || fixed !== undefined;
  const flag = {
    type: "string",
    common: false,
    valueHint,
    ...rest,
    // citty's default is what a user would write, which the schema reads too.
    ...(fixed === undefined ? {} : { default: String(fixed) }),
    schema: isThere ? schema : v.optional(schema),
  };
  return flag as unknown as ValueFlag<O, T>;
}

const someText = v.pipe(v.string(), v.minLength(1, "must not be empty"));

/** Any text but an empty one. */
function text<const O extends AboutValue>(about: O) {
  return valueFlag(someText, "TEXT", about);
}

/** A path of a file. */
function file<const O extends AboutValue>(about: O) {
  return valueFlag(someText, "FILE", { completes: "file", ...about } as O);
}

/** A path of a folder. */
function folder<const O extends AboutValue>(about: O) {
  return valueFlag(someText, "DIR", { completes: "folder", ...about } as O);
}

/** A whole number from `min` to `max`. */
function whole<const O extends AboutValue>(min: number, max: number, about: O) {
  return valueFlag(wholeNumber(min, max), "N", about);
}

/** The largest whole number that a flag takes unless it says another. */
export const noLimit = 999_999_999;

/** Reads a whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): TextSchema<number> {
  const allowed = max === noLimit ? `of at least ${min}` : `from ${min} to ${max}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, `must be a whole number ${allowed}`),
    v.transform(Number),
    v.minValue(min, `must be at least ${min}`),
    v.maxValue(max, `must be at most ${max}`),
  );
}

/** One of a few words. */
function oneOf<const T extends readonly string[], const O extends AboutValue>(values: T, about: O) {
  const schema = v.picklist(values, `must be one of ${values.join(", ")}`) as unknown as TextSchema<
    T[number]
  >;
  return { ...valueFlag(schema, values.join("|"), about), values } as ValueFlag<O, T[number]>;
}

/** What `parse` makes of the text; `allowed` says what it must be, where that is undefined. */
function parsed<T, const O extends AboutValue>(
  parse: (given: string) => T | undefined,
  allowed: string,
  about: O,
) {
  const schema = v.pipe(
    v.string(),
    v.check((given) => parse(given) !== undefined, allowed),
    v.transform((given) => parse(given) as T),
  );
  return valueFlag(schema, "VALUE", about);
}

/** What a schema of its own makes of the text. */
function read<T, const O extends AboutValue>(schema: TextSchema<T>, about: O) {
  return valueFlag(schema, "VALUE", about);
}

/** A text that is refused when `problemOf` says what is wrong with it. */
function checked<const O extends AboutValue>(problemOf: (given: string) => string | undefined, about: O) {
  const schema = v.pipe(
    someText,
    v.rawCheck(({ dataset, addIssue }) => {
      const problem = dataset.typed ? problemOf(dataset.value) : undefined;
      if (problem !== undefined) addIssue({ message: problem });
    }),
  );
  return valueFlag(schema, "TEXT", about);
}

/** What is said of a flag whose value is made of words for another program. */
type AboutWords = About & { readonly valueHint?: string; readonly default?: string };

/** How words are read where a shell's rules are not all: `read` throws what the user is told, `problemOf` returns it. */
interface WordRules {
  readonly read?: (given: string) => string[];
  readonly problemOf?: (words: readonly string[]) => string | undefined;
}

/** Words for another program, split by a shell's quoting rules unless `read` knows its own; none when it is left out. */
function words(about: AboutWords, { read = splitByShell, problemOf }: WordRules = {}) {
  const schema = v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        const list = read(dataset.value);
        const problem = problemOf?.(list);
        if (problem === undefined) return list;
        addIssue({ message: problem });
      } catch (error) {
        if (!(error instanceof XferError)) throw error;
        addIssue({ message: error.message });
      }
      return NEVER;
    }),
  );
  const flag = {
    type: "string",
    common: false,
    valueHint: "WORDS",
    ...about,
    schema: v.optional(schema, ""),
  };
  return flag as unknown as Flag<v.GenericSchema<unknown, string[]>>;
}

const splitByShell = (given: string) => splitWords(given, "");

/** A flag that may be given several times: all its texts. Undefined when it is left out. */
function list(about: About & { readonly valueHint?: string }) {
  const flag = {
    type: "string",
    common: false,
    valueHint: "TEXT",
    isList: true,
    ...about,
    schema: v.optional(
      v.pipe(
        v.string(),
        v.transform((given) => given.split(listSeparator)),
      ),
    ),
  };
  return flag as unknown as Flag<v.GenericSchema<unknown, string[] | undefined>>;
}

/** A switch that is off unless it is given. */
function on(about: About) {
  return {
    type: "boolean",
    common: false,
    ...about,
    schema: v.optional(v.boolean(), false),
  } as unknown as Flag<v.GenericSchema<unknown, boolean>>;
}

/** What is said of a switch that can be turned on and off; `negativeDescription` is what --no-NAME does. */
type AboutBoth = About & { readonly negativeDescription: string; readonly default?: boolean };

/** A switch that can be turned on and off. Without a default its value is undefined when neither is said. */
function onOff<const O extends AboutBoth>(about: O) {
  return {
    type: "boolean",
    common: false,
    ...about,
    schema: v.optional(v.boolean()),
  } as unknown as Flag<
    v.GenericSchema<unknown, O extends { default: boolean } ? boolean : boolean | undefined>
  >;
}

/** Makers of flags, one for each kind of value. */
export const flag = { text, file, folder, whole, oneOf, parsed, read, checked, words, list, on, onOff };
