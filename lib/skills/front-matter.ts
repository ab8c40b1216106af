/** What stands above a skill's text, by which Claude Code knows it. */
interface FrontMatter {
  readonly name: string;
  readonly description: string;
}

/**
 * Reads `name` and `description` of a skill's front matter. Each is a line of its own, in plain letters: that much of YAML
 * is all that these files use.
 */
export function frontMatterOf(text: string): FrontMatter {
  const [, block = ""] = /^---\n([\s\S]*?)\n---\n/.exec(text) ?? [];
  const lineOf = (field: string) => new RegExp(`^${field}: (.+)$`, "m").exec(block)?.[1];
  const [name, description] = [lineOf("name"), lineOf("description")];
  if (name === undefined || description === undefined)
    throw new Error("a skill has no name or no description in its front matter");
  return { name, description };
}
