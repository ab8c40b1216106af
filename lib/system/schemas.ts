import * as v from "valibot";

/** A number of objects, bytes or the like. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A SHA-256, hexadecimal. */
export const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
