/** The schemas of files and of --json output that the program knows, sorted. */
export interface Schemas {
  reads: string[];
  writes: string[];
}

/**
 * Finds the names of schemas in the program's own code:
 *
 * | in the code | |
 * |---|---|
 * | `v.literal("xfer.name.v1")` | it is read |
 * | `schema: "xfer.name.v1"` in an object | it is written |
 * | a text that begins with `xfer.name.v1` and a blank: the head of a file of lines | it is both |
 * | a constant of that name | as the constant is used |
 */
export function schemasIn(files: readonly string[]): Schemas {
  const code = files.join("\n");
  const constants = new Map(
    [...code.matchAll(/\bconst (\w+) = ("xfer\.[a-z-]+\.v\d+")/g)].map(([, name = "", text = ""]) => [
      name,
      text,
    ]),
  );
  const named = (before: string) =>
    [...code.matchAll(new RegExp(`${before}("xfer\\.[a-z-]+\\.v\\d+"|\\w+)(?=[,) \\n])`, "g"))]
      .map(([, found = ""]) => constants.get(found) ?? found)
      .filter((text) => text.startsWith('"xfer.'))
      .map((text) => text.slice(1, -1));
  const heads = [...code.matchAll(/`(xfer\.[a-z-]+\.v\d+) /g)].map(([, name = ""]) => name);
  const sorted = (names: readonly string[]) => [...new Set(names)].sort();
  return {
    reads: sorted([...named("v\\.literal\\("), ...heads]),
    writes: sorted([...named("schema: "), ...heads]),
  };
}
