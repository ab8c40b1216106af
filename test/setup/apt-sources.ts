/** One place that apt installs packages from. */
export interface ArchiveSource {
  uri: string;
  suites: string[];
  components: string[];
  /** The path of its keyring; without it apt's trusted keys count. */
  signedBy: string | undefined;
}

/** The enabled sources of binary packages in a sources file of apt, in either of its two formats. */
export function sourcesIn(text: string, format: "deb822" | "one-line"): ArchiveSource[] {
  return format === "deb822" ? stanzas(text).flatMap(ofStanza) : text.split("\n").flatMap(ofLine);
}

function stanzas(text: string): Map<string, string>[] {
  const uncommented = text.replaceAll(/^#.*\n?/gm, "");
  return uncommented.split(/\n\s*\n/).map((stanza) => {
    const fields = stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm);
    return new Map([...fields].map(([, name = "", value = ""]) => [name.toLowerCase(), value.trim()]));
  });
}

function ofStanza(fields: Map<string, string>): ArchiveSource[] {
  const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "");
  if (!words("types").includes("deb") || fields.get("enabled") === "no") return [];
  const key = fields.get("signed-by");
  return words("uris").map((uri) => ({
    uri,
    suites: words("suites"),
    components: words("components"),
    // A key may stand in the file itself: then only apt's own keyrings can be named by path.
    signedBy: key?.startsWith("/") ? key : undefined,
  }));
}

function ofLine(line: string): ArchiveSource[] {
  const [, options = "", uri, suite, components = ""] =
    /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line) ?? [];
  if (uri === undefined || suite === undefined) return [];
  const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
  return [{ uri, suites: [suite], components: components.trim().split(/\s+/), signedBy }];
}
