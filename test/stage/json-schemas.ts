import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import { xfer } from "./harness.ts";

const ajv = new Ajv({ strict: false, allErrors: true });
const known = new Map<string, Promise<ValidateFunction>>();

/**
 * What the JSON Schema that the binary prints for a value's own name says against the value; nothing when it keeps it. A field
 * that the schema does not name counts, too, unless the schema says that there may be others.
 */
async function schemaProblems(value: unknown): Promise<string[]> {
  const name = String((value as { schema?: unknown }).schema);
  let validate = known.get(name);
  if (!validate) {
    validate = printedSchema(name);
    known.set(name, validate);
  }
  const check = await validate;
  check(value);
  return (check.errors ?? []).map(({ instancePath, message, params }) =>
    [name, instancePath, message, JSON.stringify(params)].join(" "),
  );
}

async function printedSchema(name: string): Promise<ValidateFunction> {
  const { code, stdout, stderr } = await xfer(["schema", name], { cwd: "/" });
  if (code !== 0) throw new Error(stderr);
  return ajv.compile(closed(JSON.parse(stdout)) as object);
}

/** A schema whose objects have no fields but those that they name. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen =
    copy.type === "object" && copy.properties !== undefined && copy.additionalProperties === undefined;
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}

/** Which schemas the JSON in a text and in files names, and what they say against it. */
export interface Held {
  names: string[];
  problems: string[];
}

/** Holds a text against the schemas that its JSON names: one value in all, or one a line. */
export async function heldText(text: string): Promise<Held> {
  const names = new Set<string>();
  const problems: string[] = [];
  for (const value of valuesIn(text)) {
    const name = (value as { schema?: unknown } | null)?.schema;
    if (typeof name !== "string") continue;
    names.add(name);
    problems.push(...(await schemaProblems(value)));
  }
  return { names: [...names].sort(), problems };
}

/** Holds all files below a folder, but for binaries. */
export async function heldBelow(dir: string): Promise<Held> {
  const names = new Set<string>();
  const problems: string[] = [];
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const path = join(dir, name);
    if (name.startsWith("bin/") || !existsSync(path) || !statSync(path).isFile()) continue;
    const held = await heldText(readFileSync(path, "utf8"));
    for (const found of held.names) names.add(found);
    problems.push(...held.problems.map((problem) => `${name}: ${problem}`));
  }
  return { names: [...names].sort(), problems };
}

function valuesIn(text: string): unknown[] {
  const parsed = (one: string): unknown[] => {
    try {
      return [JSON.parse(one)];
    } catch {
      return [];
    }
  };
  const whole = parsed(text);
  return whole.length > 0 ? whole : text.split("\n").flatMap(parsed);
}
