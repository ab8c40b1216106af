import { invalidInput } from "../lib/system/errors.ts";
import { command } from "./cli/command.ts";
import { jsonFlag } from "./flags/output.ts";
import type { KnownSchema } from "./schemas/registry.ts";
import { print, printJson, printText } from "./view/print.ts";
import { columnsText } from "./view/table.ts";

export default command({
  name: "xfer schema",
  description: "Prints the JSON Schema of a file or of what --json prints",
  details: [
    "Without a name, the names of all schemas are printed, each with where it is met; with --json as xfer.schema.v1. Each file " +
      "and each output says its own in the field schema.",
  ],
  examples: [
    { says: "Which schemas there are", line: "xfer schema" },
    { says: "The schema of verify.json", line: "xfer schema xfer.verify.v1" },
  ],
  flags: { json: jsonFlag },
  operands: { usage: "[NAME]", most: 1 },
  async run({ json }, { operands: [name] }) {
    // No other command needs them, and loading the tree of commands for a help does not either.
    const { schemas, textSchemas } = await import("./schemas/registry.ts");
    if (name !== undefined) {
      const known = requireSchema(name, schemas, textSchemas);
      const { jsonSchemaOf } = await import("./schemas/json-schema.ts");
      return print(`${JSON.stringify(jsonSchemaOf(name, known), null, 2)}\n`);
    }
    const all = Object.entries(schemas).map(([known, { about }]) => ({ name: known, about }));
    if (json) await printJson({ schema: "xfer.schema.v1", schemas: all });
    else await printText(columnsText(all.map((one) => [one.name, one.about])));
  },
});

function requireSchema(
  name: string,
  schemas: Readonly<Record<string, KnownSchema>>,
  textSchemas: readonly string[],
): KnownSchema {
  const known = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
  if (known) return known;
  if (textSchemas.includes(name)) {
    throw invalidInput(`${name}: files of it are text: see docs/reference/state-files.md`);
  }
  throw invalidInput(`${JSON.stringify(name)} is no schema: xfer schema prints the names of all`);
}
