/** The lines of each section of a script's output that begins with `== NAME`, without spaces around them. */
export function sectionsOf(text: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    const name = /^== (\w+)$/.exec(line)?.[1];
    if (name === undefined) {
      lines.push(line.trim());
      continue;
    }
    lines = [];
    sections.set(name, lines);
  }
  return sections;
}
