import { describe, expect, test } from "bun:test";
import Ajv from "ajv";
import { codeOf } from "../../.ci/compile.ts";
import { schemasIn } from "../../.ci/schemas.ts";
import { jsonSchemaOf } from "../../cmd/schemas/json-schema.ts";
import { schemas, textSchemas } from "../../cmd/schemas/registry.ts";

test("xfer schema and xfer version --json know the same schemas", () => {
  const { reads, writes } = schemasIn(codeOf(`${import.meta.dir}/../..`));
  const ofVersion = [...new Set([...reads, ...writes])].sort();
  expect([...Object.keys(schemas), ...textSchemas].sort()).toEqual(ofVersion);
  expect(Object.keys(schemas)).toEqual(Object.keys(schemas).toSorted());
});

describe("JSON Schema", () => {
  test.each(Object.entries(schemas))("of %s is one, of an object of that name", (name, known) => {
    const schema = jsonSchemaOf(name, known);
    expect(new Ajv({ strict: false }).validateSchema(JSON.parse(JSON.stringify(schema)))).toBe(true);
    expect(schema).toMatchObject({ title: name, type: "object", properties: { schema: { const: name } } });
    expect(schema.required).toContain("schema");
  });

  test("a field with a default may be left out, and whole numbers are whole", () => {
    const { attempt } = { attempt: schemas["xfer.attempt.v1"] };
    const schema = attempt && jsonSchemaOf("xfer.attempt.v1", attempt);
    expect(schema?.required).toContain("spent");
    expect(schema?.required).not.toContain("lost_starts");
    expect(schema?.properties?.lost_starts).toMatchObject({ type: "integer", minimum: 0, default: 0 });
  });
});
