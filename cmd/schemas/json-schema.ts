import { type ConversionConfig, type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type { KnownSchema } from "./registry.ts";

/** Checks of xfer's own have no words in JSON Schema: what they refuse passes it. */
const config: ConversionConfig = { typeMode: "input", errorMode: "ignore" };

/** A schema as JSON Schema, draft 7. A field that has a default may be left out by older files. */
export function jsonSchemaOf(name: string, { about, schema }: KnownSchema): JsonSchema {
  const { $schema, ...rest } = toJsonSchema(schema, config);
  return { ...($schema === undefined ? {} : { $schema }), title: name, description: about, ...rest };
}
